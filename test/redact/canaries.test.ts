import { afterEach, describe, expect, it, vi } from 'vitest';
import { instrument } from '../../adapters/node/index.ts';
import type { ReadableSpan } from '../../src/index.ts';
import { json } from '../../src/otlp/json.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { patterns } from '../../src/redact/patterns.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../support/telemetry.ts';
import { canaries } from './canaries.ts';

const ways = ['memory', 'an exporter', 'OTLP', 'the console', '/metrics', 'OpenMetrics', 'onError', 'health'] as const;
type Outputs = Record<(typeof ways)[number], string>;

/** A telemetry with every way out, each of which is kept as text. */
function create(encoder: typeof json, answer: () => Response) {
  const exported: ReadableSpan[] = [];
  const posted: string[] = [];
  const heard: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  const telemetry = createAlsTelemetry({
    capture: { inputs: true, outputs: true },
    redact: Object.values(patterns),
    console: true,
    exporters: [(spans) => void exported.push(...spans)],
    fetch: async () => answer(),
    onError: ({ code, message, stack, cause }) => heard.push(`${code}: ${message} ${stack} ${String(cause)}`),
    otlp: {
      endpoint: 'https://otlp.example',
      encoder,
      compression: 'none',
      fetch: async (_url, init) => {
        posted.push(new TextDecoder().decode(init?.body as Uint8Array));
        return new Response('{}');
      },
    },
  });
  const toText = (spans: readonly ReadableSpan[]) =>
    JSON.stringify(
      spans.map(({ name, attributes, events, links, status, resource }) => {
        return { name, attributes, events, links, status, resource: resource.attributes };
      }),
    );
  async function outputs(): Promise<Outputs> {
    await telemetry.flush();
    return {
      memory: toText(telemetry.spans),
      'an exporter': toText(exported),
      OTLP: posted.join('\n'),
      'the console': print.mock.calls.map((line) => line.join(' ')).join('\n'),
      '/metrics': await telemetry.prometheus(),
      OpenMetrics: await telemetry.prometheus({ format: 'openmetrics' }),
      onError: heard.join('\n'),
      health: JSON.stringify(telemetry.health()),
    };
  }
  return { telemetry, outputs };
}

afterEach(() => {
  vi.restoreAllMocks();
});

const cases = Object.entries(canaries).flatMap(([name, canary]) =>
  [json, protobuf].map((encoder) => [name, encoder.contentType, canary, encoder] as const),
);

describe('a canary of each class', () => {
  it('is planted for each of the patterns', () => {
    expect(Object.keys(canaries).sort()).toEqual(Object.keys(patterns).sort());
  });

  it.each(cases)('%s, by %s, comes out nowhere', async (_name, _type, [secret, part], encoder) => {
    const said = `reach me: ${secret}, please`;
    const header = secret.replace(/[()]/g, '');
    const form = new URLSearchParams({ form: secret });
    const query = `?to=${encodeURIComponent(secret)}&plain=${secret.replaceAll(' ', '%20')}&${form}`;
    const reply = {
      id: secret,
      model: secret,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            content: said,
            tool_calls: [{ id: 'c', function: { name: secret, arguments: JSON.stringify({ to: secret }) } }],
          },
        },
      ],
    };
    const answers = [
      () => Response.json(chatCompletion(reply), { headers: { 'x-request-id': header, 'x-ms-region': header } }),
      () => Response.json({ error: { message: said, type: secret, code: secret } }, { status: 400 }),
    ];
    let asked = 0;
    const { telemetry, outputs } = create(encoder, () => answers[asked++ % answers.length]!());

    // Headers and URLs, of calls and of requests.
    const request = chatRequest({
      model: secret,
      user: secret,
      messages: [{ role: 'user', name: secret, content: said }],
    });
    const headers = { ...(request.headers as Record<string, string>), authorization: header, 'x-user': header };
    const serve = instrument(async () => {
      for (const _ of answers) await (await telemetry.fetch(`${chatUrl}${query}`, { ...request, headers })).text();
      return new Response(said, { headers: { 'x-to': header } });
    }, telemetry);
    const path = `http://localhost/users/${encodeURIComponent(secret)}${query}`;
    await (
      await serve(
        new Request(path, {
          headers: { 'user-agent': header, referer: path, baggage: `to=${encodeURIComponent(secret)}` },
        }),
      )
    ).text();

    // Prompts, arguments, results and errors of what is wrapped.
    await telemetry.llm({ name: 'ask', prompt: { name: secret } }, async (_: object) => said)({ prompt: said });
    telemetry.tool({ name: secret, description: said }, (_: unknown) => ({ said, deep: [{ [secret]: secret }] }))(said);
    telemetry.retrieval({ name: 'find' }, (_: string) => [{ id: secret, score: 1 }])(said);
    const failing = telemetry.agent({ name: 'fail' }, () => {
      throw new Error(said, { cause: new Error(secret) });
    });
    expect(failing).toThrow(said);
    telemetry.recordLlmCall({ provider: secret, model: secret, latencyMs: 1, errorType: secret });
    telemetry.metrics.counter('mails_total', { labels: ['to'] }).inc({ to: secret });

    // What the library itself has to complain of.
    const throwing = () => {
      throw new Error(said);
    };
    await telemetry.llm({ name: 'ask', response: throwing }, async () => 'x')();
    telemetry.retrieval({ name: 'find', count: throwing }, () => [])();

    const told = await outputs();
    for (const way of ways) {
      expect(told[way], way).not.toContain(part);
      for (const encoded of [encodeURIComponent(part), part.replaceAll(' ', '+')]) {
        expect(told[way], way).not.toContain(encoded);
      }
      expect(told[way], `something came out by ${way}`).toMatch(way === 'health' ? /internal/ : /REDACTED/);
    }
  });
});
