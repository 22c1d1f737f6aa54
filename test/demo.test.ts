import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReceiver } from '../scripts/demo/receiver.ts';
import { ensureBuilt } from './support/build.ts';

const run = promisify(execFile);

describe('npm run demo -- --tokens 77 --prices 3,9 --error 529 --dump FILE', () => {
  let folder: string;
  let text: string;
  let dump: {
    path: string;
    body: { resourceSpans?: { scopeSpans: { spans: { traceId: string; name: string }[] }[] }[] };
  }[];

  beforeAll(async () => {
    await ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), 'edgespan-'));
    const file = join(folder, 'dump.json');
    const options = ['--tokens', '77', '--prices', '3,9', '--error', '529', '--dump', file];
    const { stdout } = await run(process.execPath, ['scripts/demo/main.ts', ...options]);
    text = stripVTControlCharacters(stdout);
    dump = JSON.parse(await readFile(file, 'utf8'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('shows the tree with the tokens and the cost that were asked for', () => {
    expect(text).toMatch(
      /POST \/chat +[\d.]+ ms\n└─ chat gpt-4o-mini +[\d.]+ ms +gpt-4o-mini-2024-07-18 +25 → 77 +\$0\.000768 +\d+ ms/,
    );
    expect(text).toMatch(
      /└─ invoke_agent forecast.*\n {3}├─ chat claude-sonnet-4-5 .*1580 → 48 +\$0\.005172 .*\n {3}└─ execute_tool get_weather/,
    );
    expect(text).toMatch(/└─ chat gpt-4o-mini .*overloaded_error/);
  });

  it('shows the same in /metrics', () => {
    expect(text).toContain('GET /metrics → 200 text/plain; version=0.0.4');
    expect(text).toMatch(
      /llm_tokens_total\{provider="openai",model="gpt-4o-mini-2024-07-18",token_type="output",agent=""\} 77/,
    );
    expect(text).toMatch(/llm_cost_usd_total\{provider="openai",model="gpt-4o-mini-2024-07-18",agent=""\} 0\.000768\n/);
    expect(text).toMatch(
      /llm_errors_total\{.*error_type="provider_error",provider="openai",model="gpt-4o-mini",agent=""\} 1/,
    );
    expect(text).toMatch(/llm_tool_calls_total\{tool_name="get_weather",agent="forecast"\} 1/);
  });

  it('writes what the receiver got, ids and all', () => {
    const spans = dump
      .flatMap(({ body }) => body.resourceSpans ?? [])
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
    const shown = spans.filter(({ name }) => name !== 'GET /metrics');
    expect(shown).toHaveLength(8);
    for (const { traceId } of shown) expect(text).toContain(`trace ${traceId}`);
    expect(new Set(dump.map(({ path }) => path))).toEqual(new Set(['/v1/traces', '/v1/metrics']));
  });
});

describe('the demo', () => {
  it.each([
    [['--bogus', '1'], "Unknown option '--bogus'"],
    [['--tokens'], "'--tokens <value>' argument missing"],
    [['--tokens', 'x'], '--tokens is "x": it must be a whole number'],
    [['--prices', '3'], '--prices is "3": it must be two numbers'],
    [['--error', '200'], '--error is "200": it must be a whole number from 400 to 599'],
    [['--upstream', 'api.openai.com'], '--upstream is "api.openai.com"'],
    [['--dump', '/nowhere/at/all.json'], 'no such file or directory'],
    [['extra'], "Unexpected argument 'extra'"],
  ])('refuses %j in one line', async (options, problem) => {
    const ended = await run(process.execPath, ['scripts/demo/main.ts', ...options]).catch((error) => error);
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(problem) });
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('outlives a sender that leaves in the middle of a request', async () => {
    const { server, requests } = createReceiver();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const sending = request({ port, method: 'POST', path: '/v1/traces', headers: { 'content-length': 100 } });
    sending.on('error', () => {});
    sending.write('{');
    const [, response] = await once(server, 'request');
    sending.destroy();
    await once(response, 'close');
    server.close();
    await once(server, 'close');
    expect(requests).toEqual([]);
  });
});
