import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listen, startOtlpServer } from '../support/otlp-server.ts';
import { runHere } from './run.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => void request.resume().on('end', () => answer(request, response)));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return listen(server);
}

const answering = (status: number, body = '', headers: Record<string, string> = {}) =>
  serve((_, response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body));

describe('edgespan check', () => {
  it('sends one span and one metric, and says that they were taken', async () => {
    const receiver = await startOtlpServer();
    closing.push(() => void receiver.stop());
    const { code, stdout } = await runHere(['check', `${receiver.url}/`, '--header', 'x-api-key=a=b']);
    expect(stdout).toContain('✓ traces: taken, 200');
    expect(code).toBe(0);
    expect(receiver.spans.map(({ name, resource }) => [name, resource['service.name']])).toEqual([
      ['edgespan check', 'edgespan-check'],
    ]);
    expect(receiver.points.map(({ name, value }) => [name, Number(value)])).toEqual([['otlp_check_total', 1]]);
    expect(receiver.requests.map(({ path, headers }) => [path, headers['x-api-key']])).toEqual([
      ['/v1/traces', 'a=b'],
      ['/v1/metrics', 'a=b'],
    ]);
    expect(stdout).toContain(receiver.spans[0]!.traceId);
  });

  it('takes endpoint and headers from the environment of OpenTelemetry', async () => {
    const receiver = await startOtlpServer();
    closing.push(() => void receiver.stop());
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_HEADERS: 'x-key=sesame%20open' };
    expect((await runHere(['check'], env)).code).toBe(0);
    expect(receiver.requests[0]?.headers['x-key']).toBe('sesame open');
  });

  it.each<[string, () => Promise<string>, string, string]>([
    ['401', () => answering(401, '{"message":"who are you"}'), 'answered 401: who are you', "--header 'x-api-key=…'"],
    ['403', () => answering(403), 'answered 403', 'look at its rights'],
    ['404', () => answering(404), 'answered 404', 'There is no /v1/traces under this address'],
    ['404 below /v1', async () => `${await answering(404)}/v1`, 'answered 404', 'Give the base address'],
    ['415', () => answering(415), 'answered 415', 'try --protocol protobuf'],
    ['429', () => answering(429, '', { 'retry-after': '7' }), 'answered 429', 'try again in 7 s'],
    ['503', () => answering(503), 'answered 503', 'not ready or overloaded'],
    ['500', () => answering(500), 'answered 500', 'look at its log'],
    [
      '302',
      () => answering(302, '', { location: 'https://elsewhere.example' }),
      'answered 302',
      'https://elsewhere.example',
    ],
    [
      'a partial success',
      () => answering(200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no more today"}}'),
      'rejected it: no more today',
      'says why',
    ],
    [
      'a web page',
      () => answering(200, '<html>', { 'content-type': 'text/html' }),
      'with a web page',
      'host, port and path',
    ],
    ['silence', () => serve(() => {}), 'in time', '--timeout-ms'],
    [
      'a closed connection',
      () => serve((request) => request.socket.destroy()),
      'closed the connection',
      'Look at its log',
    ],
    ['what is not HTTP', startGarbage, 'not in HTTP', '4317'],
    ['nobody', async () => await closedPort(), 'nobody listens', 'npx edgespan collector'],
    ['an unknown host', async () => 'http://no-such-host.invalid', 'there is no host no-such-host.invalid', 'resolve'],
    [
      'plain HTTP where https is asked for',
      async () => (await answering(200)).replace('http:', 'https:'),
      'no secure connection',
      'http://',
    ],
  ])('says what to do about %s', async (_, start, message, advice) => {
    const { code, stdout } = await runHere(['check', await start(), '--timeout-ms', '1500']);
    expect(code).toBe(1);
    expect(stdout).toContain('✗ traces: ');
    expect(stdout).toContain(message);
    expect(stdout).toContain(advice);
  });

  it('answers in JSON', async () => {
    const { code, stdout } = await runHere(['check', await answering(401), '--json', '--header', 'x-api-key=sesame']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      results: [
        { signal: 'traces', status: 401, ok: false, advice: expect.stringContaining('not known there') },
        { signal: 'metrics', status: 401 },
      ],
    });
    expect(stdout).not.toContain('sesame');
  });
});

async function startGarbage(): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end('\0\0\u0012\u0004 settings of another protocol'));
  });
  closing.push(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closedPort(): Promise<string> {
  const server = createServer();
  const url = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return url;
}
