import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../../../src/environment.ts';
import type { ReadableSpan, TelemetryOptions } from '../../../src/index.ts';
import { createContentCapture } from '../../../src/llm/content/capture.ts';
import { message, text, toolCall } from '../../../src/llm/content/message.ts';
import { openaiContent } from '../../../src/llm/content/openai.ts';
import { patterns } from '../../../src/redact/patterns.ts';
import { createRedactor } from '../../../src/redact/redactor.ts';
import { canaries } from '../../redact/canaries.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../../support/telemetry.ts';
import { expectMessages } from './schema.ts';

const rules = [...Object.values(patterns), { key: 'password' }];
const everything = { inputs: true, outputs: true };

/** A telemetry whose every output is kept as text. */
function create(options: TelemetryOptions = {}) {
  const exported: ReadableSpan[] = [];
  const posted: string[] = [];
  const telemetry = createAlsTelemetry({
    capture: everything,
    redact: rules,
    exporters: [(spans) => void exported.push(...spans)],
    otlp: {
      endpoint: 'https://otlp.example',
      compression: 'none',
      fetch: async (_url, init) => {
        posted.push(new TextDecoder().decode(init?.body as Uint8Array));
        return new Response('{}');
      },
    },
    onError: () => {},
    ...options,
  });
  async function outputs(): Promise<string> {
    await telemetry.flush();
    const spans = [...telemetry.spans, ...exported].map(({ name, attributes, events, status }) => {
      return { name, attributes, events, status };
    });
    return [JSON.stringify(spans), ...posted, await telemetry.prometheus()].join('\n');
  }
  return { telemetry, outputs };
}

describe('with patterns', () => {
  it.each(Object.entries(canaries))('%s is in no output, wherever it was', async (_, [secret, part]) => {
    const said = `call me: ${secret}, please`;
    const { telemetry, outputs } = create({
      fetch: async () =>
        Response.json(
          chatCompletion({
            choices: [
              {
                finish_reason: 'stop',
                message: {
                  content: said,
                  tool_calls: [
                    { id: 'c', function: { name: 'f', arguments: JSON.stringify({ to: secret, list: [said] }) } },
                  ],
                },
              },
            ],
          }),
          { headers: { 'x-request-id': secret.replace(/[()]/g, '') } },
        ),
    });
    const url = `${chatUrl}?q=${encodeURIComponent(secret)}`;
    const request = chatRequest({
      messages: [
        { role: 'system', content: said },
        { role: 'user', name: secret, content: [{ type: 'text', text: said }] },
        { role: 'tool', tool_call_id: secret, content: JSON.stringify({ found: secret }) },
        { role: 'user', content: [{ type: 'image_url', image_url: { url: `https://a.example/?mail=${secret}` } }] },
        { role: 'user', content: [{ type: secret, any: { [secret]: secret } }] },
      ],
      tools: [{ type: 'function', function: { name: secret } }],
    });
    const headers = { ...(request.headers as Record<string, string>), authorization: 'Bearer canarytoken.canarytoken' };
    await (await telemetry.fetch(url, { ...request, headers })).text();
    telemetry.tool({ name: 't' }, (_: unknown) => ({ said, deep: [{ secret }] }))({ [secret]: secret });
    telemetry.retrieval({ name: 'r' }, (_: string) => [{ id: secret, score: 1 }, said])(said);
    telemetry.agent({ name: 'a' }, (_: string) => said)(said);
    telemetry.wrap({ get: (_: string) => new Map([[secret, said]]) }, { name: 'db' }).get(said);
    await telemetry.llm({ name: 'ask' }, async (_: object) => said)({ prompt: said });
    const failing = telemetry.tool({ name: 'f' }, () => {
      throw new Error(said);
    });
    expect(failing).toThrow(said);
    const output = await outputs();
    expect(output).toContain('[REDACTED]');
    expect(output).toContain('gen_ai.input.messages');
    expect(output).not.toContain(part);
    for (const { attributes } of telemetry.spans) {
      for (const name of ['gen_ai.input.messages', 'gen_ai.output.messages']) {
        if (attributes[name] !== undefined) expectMessages(String(attributes[name]));
      }
    }
  });

  it('what stands under a secret name is gone whole, JSON stays JSON', () => {
    const { telemetry } = create();
    const given = {
      password: { deep: ['x'] },
      api_key: 'hunt"er2\\',
      access_token: 123456,
      pin: 4111111111111111,
      user: 'jane',
    };
    telemetry.tool({ name: 't' }, (_: unknown) => given)(given);
    const [{ attributes }] = telemetry.spans as [ReadableSpan];
    const expected = {
      password: '[REDACTED]',
      api_key: '[REDACTED]',
      access_token: '[REDACTED]',
      pin: '[REDACTED]',
      user: 'jane',
    };
    for (const name of ['arguments', 'result']) {
      expect(JSON.parse(String(attributes[`gen_ai.tool.call.${name}`]))).toEqual(expected);
    }
  });

  it('no cut leaves half of one', () => {
    const redactor = createRedactor(rules, { failed: () => {}, changed: () => {} });
    const redact = (value: unknown, key: string) => redactor.value(value, { signal: 'span', key });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(canaries)),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 2, max: 900 }),
        fc.boolean(),
        ([secret], before, limit, valueLength, isArgument) => {
          const capture = createContentCapture({
            capture: everything,
            environment: createEnvironment({}, () => {}),
            valueLength,
            redact,
          });
          const said = `${'ab '.repeat(before)}${secret} after`;
          const parts = isArgument ? toolCall('c', 'f', { said, also: [said] }) : text(said);
          const json = String(
            capture.request({ messages: [message('user', parts)] }, limit)['gen_ai.input.messages'] ?? '[]',
          );
          expectMessages(json);
          expect(json.length).toBeLessThanOrEqual(valueLength);
          // No five letters in a row of any secret.
          for (let i = 0; i + 5 <= secret.length; i++) {
            const some = secret.slice(i, i + 5);
            if (!'Bearer '.includes(some)) expect(json).not.toContain(some);
          }
          expect(redact(json, 'gen_ai.input.messages')).toBe(json);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a long text has none at the edge of what is looked at', () => {
    const redactor = createRedactor(rules, { failed: () => {}, changed: () => {} });
    const redact = (value: unknown, key: string) => redactor.value(value, { signal: 'span', key });
    const capture = createContentCapture({
      capture: everything,
      environment: createEnvironment({}, () => {}),
      valueLength: 1e6,
      redact,
    });
    const mail = 'canary.person@mail.example.com ';
    const given = capture.text(mail.repeat(20_000), 500);
    expect(given).toMatch(/^(\[REDACTED\] )+…$/);
    const longer = capture.text(mail.repeat(20_000), 100_000);
    expect(longer).toContain('[REDACTED]');
    expect(longer).not.toContain('canary');
    // About here the secrets of a first piece come to as much as is kept.
    for (let limit = 17_980; limit < 18_060; limit++)
      expect(capture.text(mail.repeat(20_000), limit)).not.toMatch(/can/);
    expect(capture.text(`[${'1,'.repeat(200_000)}1]`, 500)).toBe('…');
  });

  it('names of secrets hold in JSON that a stream was long or cut short with', () => {
    const redactor = createRedactor([{ key: 'pin' }], { failed: () => {}, changed: () => {} });
    const redact = (value: unknown, key: string) => redactor.value(value, { signal: 'span', key });
    const capture = createContentCapture({
      capture: everything,
      environment: createEnvironment({}, () => {}),
      valueLength: 1e6,
      redact,
    });
    for (const length of [10, 40_000, 300_000, 2_000_000]) {
      const json = JSON.stringify({ pin: 'canary', rest: 'x '.repeat(length / 2) });
      const reader = openaiContent.stream(capture.held(100));
      const half = json.slice(0, -5);
      for (let i = 0; i < json.length; i += 5000) {
        reader.event({ json: { choices: [{ delta: { content: json.slice(i, i + 5000) } }] } });
      }
      reader.event({
        json: { choices: [{ delta: { tool_calls: [{ index: 0, function: { name: 'f', arguments: half } }] } }] },
      });
      const shown = String(capture.response(reader.result(), 100)['gen_ai.output.messages']);
      expectMessages(shown);
      expect(shown, `${length}`).not.toContain('canary');
    }
  });

  it('a rule that breaks JSON leaves valid JSON, and one that fails leaves nothing', async () => {
    const fetch = async () => Response.json(chatCompletion());
    const breaking = create({ fetch, redact: /"role"|"city":/ });
    await (await breaking.telemetry.fetch(chatUrl, chatRequest())).text();
    breaking.telemetry.tool({ name: 't' }, (_: unknown) => 1)({ city: 'Oslo' });
    const [call, tool] = breaking.telemetry.spans as [ReadableSpan, ReadableSpan];
    expect(() => JSON.parse(String(call.attributes['gen_ai.input.messages']))).not.toThrow();
    expect(() => JSON.parse(String(tool.attributes['gen_ai.tool.call.arguments']))).not.toThrow();
    const failing = create({
      fetch,
      redact: () => {
        throw new Error('no');
      },
    });
    await (await failing.telemetry.fetch(chatUrl, chatRequest())).text();
    expect(await failing.outputs()).not.toMatch(/Hello|"Hi/);
  });
});
