import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GuardrailResult, TelemetryError, type TelemetryOptions } from '../../src/index.ts';
import { guardrailCategories, normaliseCategory } from '../../src/llm/guardrail.ts';
import { overflowValue } from '../../src/metrics/cardinality.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsTelemetry } from '../support/telemetry.ts';

type Json = Record<string, unknown>;

/** One call, and what was counted of it. */
async function call(url: string, body: Json, answer: unknown, options: TelemetryOptions & { status?: number } = {}) {
  const { status = 200, ...rest } = options;
  const sse = Array.isArray(answer);
  const text = sse ? answer.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') : JSON.stringify(answer);
  const headers = { 'content-type': sse ? 'text/event-stream' : 'application/json' };
  const telemetry = createAlsTelemetry({ fetch: async () => new Response(text, { status, headers }), ...rest });
  const response = await telemetry.fetch(url, { method: 'POST', body: JSON.stringify(body) });
  await response.text();
  const { attributes } = telemetry.spans[0]!;
  return {
    telemetry,
    requests: telemetry.metrics.value('llm_guardrail_requests_total'),
    violations: await listViolations(telemetry),
    attributes: [
      attributes['llm.guardrail.id'],
      attributes['llm.guardrail.action'],
      attributes['llm.guardrail.categories'],
    ],
  };
}

/** `action category` of each violation, as often as it was counted. */
async function listViolations(telemetry: ReturnType<typeof createAlsTelemetry>): Promise<string[]> {
  const { metrics } = await telemetry.metrics.collect();
  const family = metrics.find(({ name }) => name === 'llm_guardrail_violations_total');
  const points = (family?.points ?? []) as unknown as { labels: Record<string, string>; value: number }[];
  return points.flatMap(({ labels, value }) => Array(value).fill(`${labels.action} ${labels.category ?? ''}`)).sort();
}

const bedrock =
  'https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse';
const azure = 'https://mine.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21';
const gemini = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent';
const claude = 'https://api.anthropic.com/v1/messages';

describe('Bedrock', () => {
  const guardrailConfig = { guardrailIdentifier: 'gr-1', guardrailVersion: '2', trace: 'enabled' };
  const reply = (stopReason: string, guardrail?: Json) => ({
    output: { message: { role: 'assistant', content: [{ text: 'no' }] } },
    stopReason,
    usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
    ...(guardrail && { trace: { guardrail } }),
  });

  it('counts each kind of policy that its nested assessments name', async () => {
    const done = await call(
      bedrock,
      { messages: [], guardrailConfig },
      reply('guardrail_intervened', {
        inputAssessment: {
          'gr-1': {
            topicPolicy: { topics: [{ name: 'Loans', type: 'DENY', action: 'BLOCKED', detected: true }] },
            contentPolicy: { filters: [{ type: 'HATE', confidence: 'NONE', action: 'NONE', detected: false }] },
          },
        },
        outputAssessments: {
          'gr-1': [
            { sensitiveInformationPolicy: { piiEntities: [{ type: 'EMAIL', match: 'x', action: 'ANONYMIZED' }] } },
            { topicPolicy: { topics: [{ name: 'Loans', type: 'DENY', action: 'BLOCKED' }] } },
          ],
        },
      }),
    );
    expect(done.requests).toBe(1);
    expect(done.violations).toEqual([
      'GUARDRAIL_INTERVENED SENSITIVE_INFORMATION_POLICY',
      'GUARDRAIL_INTERVENED TOPIC_POLICY',
    ]);
    expect(done.attributes).toEqual(['gr-1', 'GUARDRAIL_INTERVENED', ['TOPIC_POLICY', 'SENSITIVE_INFORMATION_POLICY']]);
    const labels = { provider: 'bedrock', guardrail_id: 'gr-1', agent: '' };
    expect(done.telemetry.metrics.value('llm_guardrail_violations_total', labels)).toBe(2);
  });

  it('counts what a guardrail let pass as asked, and no more', async () => {
    const done = await call(bedrock, { messages: [], guardrailConfig }, reply('end_turn'));
    expect([done.requests, done.violations]).toEqual([1, []]);
    expect(done.attributes).toEqual(['gr-1', 'NONE', undefined]);
  });

  it('counts an intervention of which it keeps the reasons to itself', async () => {
    const done = await call(bedrock, { messages: [], guardrailConfig }, reply('guardrail_intervened'));
    expect(done.violations).toEqual(['GUARDRAIL_INTERVENED ']);
  });

  it('asks no guardrail by itself', async () => {
    const done = await call(bedrock, { messages: [] }, reply('end_turn'));
    expect([done.requests, done.violations, done.attributes]).toEqual([
      undefined,
      [],
      [undefined, undefined, undefined],
    ]);
  });

  it('finds the guardrail in the arguments of a wrapped function', async () => {
    const telemetry = createAlsTelemetry();
    const send = telemetry.llm({ provider: 'bedrock' }, async (_input: Json) => reply('guardrail_intervened'));
    await telemetry.agent({ name: 'a' }, () => send({ modelId: 'm', guardrailConfig }))();
    const labels = { provider: 'bedrock', guardrail_id: 'gr-1', agent: 'a' };
    expect(telemetry.metrics.value('llm_guardrail_requests_total', labels)).toBe(1);
    expect(telemetry.metrics.value('llm_guardrail_violations_total', labels)).toBe(1);
  });
});

describe('content filters', () => {
  const safe = { filtered: false, severity: 'safe' };
  const choice = (over: Json) => ({ index: 0, message: { role: 'assistant', content: '' }, ...over });
  const azureReply = (over: Json) =>
    chatCompletion({ choices: [choice({ finish_reason: 'content_filter', ...over })] });

  it('of Azure, by category', async () => {
    const filters = { hate: { filtered: true, severity: 'high' }, self_harm: { filtered: true }, sexual: safe };
    const done = await call(azure, { messages: [] }, azureReply({ content_filter_results: filters }));
    expect(done.requests).toBeUndefined();
    expect(done.violations).toEqual(['GUARDRAIL_INTERVENED HATE', 'GUARDRAIL_INTERVENED SELF_HARM']);
    expect(done.attributes).toEqual([undefined, 'GUARDRAIL_INTERVENED', ['HATE', 'SELF_HARM']]);
  });

  it('of Azure, which refused the prompt', async () => {
    const content_filter_result = { jailbreak: { filtered: true, detected: true }, hate: safe };
    const error = { code: 'content_filter', status: 400, innererror: { content_filter_result } };
    const done = await call(azure, { messages: [] }, { error }, { status: 400 });
    expect(done.violations).toEqual(['GUARDRAIL_INTERVENED JAILBREAK']);
    const bare = await call(azure, { messages: [] }, { error: { code: 'content_filter' } }, { status: 400 });
    expect(bare.violations).toEqual(['GUARDRAIL_INTERVENED ']);
  });

  it('of Azure, which noticed something and let it pass', async () => {
    const results = { protected_material_text: { filtered: false, detected: true }, hate: safe };
    const done = await call(
      azure,
      { messages: [] },
      azureReply({ finish_reason: 'stop', content_filter_results: results }),
    );
    expect(done.violations).toEqual(['NONE PROTECTED_MATERIAL']);
  });

  it('of Azure, in a stream, late too', async () => {
    const chunk = (over: Json) => ({
      id: 'c',
      object: 'chat.completion.chunk',
      model: 'gpt-4o',
      choices: [{ index: 0, ...over }],
    });
    const events = [
      {
        id: '',
        model: '',
        choices: [],
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: safe } }],
      },
      chunk({ delta: { content: 'Hi' }, finish_reason: null, content_filter_results: { hate: safe } }),
      chunk({ delta: { content: ' you' }, finish_reason: null, content_filter_results: {} }),
      chunk({
        delta: {},
        finish_reason: null,
        content_filter_results: { violence: { filtered: true, severity: 'high' } },
      }),
      chunk({ delta: {}, finish_reason: 'content_filter' }),
    ];
    const done = await call(azure, { messages: [], stream: true }, events);
    expect(done.violations).toEqual(['GUARDRAIL_INTERVENED VIOLENCE']);
  });

  it('of Azure’s Responses', async () => {
    const url = 'https://mine.openai.azure.com/openai/v1/responses';
    const content_filters = [
      { blocked: false, source_type: 'prompt', content_filter_results: { hate: safe } },
      { blocked: true, source_type: 'completion', content_filter_results: { sexual: { filtered: true } } },
    ];
    const reply = { object: 'response', id: 'r', model: 'gpt-4o', output: [], content_filters };
    const incomplete = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    expect((await call(url, { input: '' }, { ...reply, ...incomplete })).violations).toEqual([
      'GUARDRAIL_INTERVENED SEXUAL',
    ]);
  });

  it('of OpenAI, which says no more than that, and a model that refuses', async () => {
    const stopped = chatCompletion({ choices: [choice({ finish_reason: 'content_filter' })] });
    expect((await call(chatUrl, { model: 'm' }, stopped)).violations).toEqual(['GUARDRAIL_INTERVENED ']);
    const message = { role: 'assistant', content: null, refusal: 'I can’t help with that.' };
    const refused = chatCompletion({ choices: [{ index: 0, message, finish_reason: 'stop' }] });
    expect((await call(chatUrl, { model: 'm' }, refused)).violations).toEqual(['GUARDRAIL_INTERVENED REFUSAL']);
    const fine = await call(chatUrl, { model: 'm' }, chatCompletion());
    expect([fine.violations, fine.attributes]).toEqual([[], [undefined, undefined, undefined]]);
  });

  it('of Gemini, by its ratings, else by the reason', async () => {
    const usageMetadata = { promptTokenCount: 1, totalTokenCount: 1 };
    const rating = { category: 'HARM_CATEGORY_HATE_SPEECH', probability: 'HIGH', blocked: true };
    const low = { category: 'HARM_CATEGORY_HARASSMENT', probability: 'LOW' };
    const cases: [Json, string][] = [
      [{ candidates: [{ finishReason: 'SAFETY', safetyRatings: [rating, low] }] }, 'HATE'],
      [{ candidates: [{ finishReason: 'RECITATION' }] }, 'PROTECTED_MATERIAL'],
      [{ candidates: [{ finishReason: 'SPII' }] }, 'SENSITIVE_INFORMATION_POLICY'],
      [{ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }, 'PROHIBITED_CONTENT'],
      [{ promptFeedback: { blockReason: 'JAILBREAK' } }, 'JAILBREAK'],
      [{ promptFeedback: { blockReason: 'SAFETY', safetyRatings: [rating] } }, 'HATE'],
    ];
    for (const [reply, category] of cases) {
      const done = await call(gemini, { contents: [] }, { ...reply, usageMetadata });
      expect(done.violations).toEqual([`GUARDRAIL_INTERVENED ${category}`]);
    }
    const fine = { candidates: [{ finishReason: 'MAX_TOKENS', safetyRatings: [low] }], usageMetadata };
    expect((await call(gemini, { contents: [] }, fine)).violations).toEqual([]);
  });

  it('of Claude, streamed or not', async () => {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const whole = { type: 'message', id: 'm', model: 'claude', content: [], stop_reason: 'refusal', usage };
    const stop_details = { type: 'refusal', category: 'bio', explanation: null };
    expect((await call(claude, { model: 'claude' }, { ...whole, stop_details })).violations).toEqual([
      'GUARDRAIL_INTERVENED BIO',
    ]);
    expect((await call(claude, { model: 'claude' }, whole)).violations).toEqual(['GUARDRAIL_INTERVENED REFUSAL']);
    const events = [
      { type: 'message_start', message: { ...whole, stop_reason: null } },
      { type: 'message_delta', delta: { stop_reason: 'refusal', stop_details }, usage },
      { type: 'message_stop' },
    ];
    expect((await call(claude, { model: 'claude', stream: true }, events)).violations).toEqual([
      'GUARDRAIL_INTERVENED BIO',
    ]);
  });
});

describe('the labels', () => {
  it('are of few values, whatever anybody calls them', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (action, category) => {
        const telemetry = createAlsTelemetry();
        telemetry.recordGuardrail({ action, category });
        const { value } = telemetry.metrics;
        const allowed = ['', overflowValue, ...guardrailCategories].map(
          (one) => value.call(telemetry.metrics, 'llm_guardrail_violations_total', { category: one }) ?? 0,
        );
        const all = telemetry.metrics.value('llm_guardrail_violations_total') ?? 0;
        expect(allowed.reduce((sum, one) => sum + one, 0)).toBe(all);
      }),
    );
  });

  it('overflow for what nobody knows', async () => {
    const telemetry = createAlsTelemetry();
    telemetry.recordGuardrail({ action: 'BLOCKED', category: 'WORD_POLICY' });
    telemetry.recordGuardrail({ action: 'GUARDRAIL_INTERVENED', category: 'pineapple' });
    expect(await listViolations(telemetry)).toEqual([
      `GUARDRAIL_INTERVENED ${overflowValue}`,
      `${overflowValue} WORD_POLICY`,
    ]);
  });

  it.each([
    ['HARM_CATEGORY_SEXUALLY_EXPLICIT', 'SEXUAL'],
    ['HARM_CATEGORY_IMAGE_HATE', 'HATE'],
    ['self-harm/intent', 'SELF_HARM'],
    ['self_harm', 'SELF_HARM'],
    ['indirect_attack', 'INDIRECT_ATTACK'],
    ['custom_blocklists', 'BLOCKLIST'],
    ['TOPIC_POLICY', 'TOPIC_POLICY'],
    ['constructor', 'CONSTRUCTOR'],
  ])('%s is %s', (given, category) => expect(normaliseCategory(given)).toBe(category));
});

describe('a check of one’s own', () => {
  it('is counted with the agent and the model around it, and noted on the span', async () => {
    const telemetry = createAlsTelemetry({ fetch: async () => Response.json(chatCompletion()) });
    await telemetry.agent({ name: 'a' }, async () => {
      await telemetry.fetch(chatUrl, chatRequest()).then((response) => response.json());
      await telemetry.tool({ name: 'moderate' }, async () => {
        telemetry.recordGuardrail({ id: 'mine', action: 'GUARDRAIL_INTERVENED', category: 'hate' });
      })();
    })();
    const labels = { guardrail_id: 'mine', provider: 'openai', model: 'gpt-4o-2024-08-06', agent: 'a' };
    expect(telemetry.metrics.value('llm_guardrail_requests_total', labels)).toBe(1);
    expect(telemetry.metrics.value('llm_guardrail_violations_total', { ...labels, category: 'HATE' })).toBe(1);
    const span = telemetry.spans.find(({ name }) => name === 'execute_tool moderate')!;
    expect(span.attributes).toMatchObject({ 'llm.guardrail.id': 'mine', 'llm.guardrail.categories': ['HATE'] });
  });

  it('goes to the span it is about', async () => {
    const telemetry = createAlsTelemetry();
    telemetry.span('x', (span) =>
      telemetry.recordGuardrail({ id: 'g', action: 'NONE', provider: 'openai', model: 'm', span }),
    );
    telemetry.recordGuardrail({
      action: 'NONE',
      span: { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 },
    });
    expect(telemetry.spans[0]!.attributes).toMatchObject({ 'llm.guardrail.id': 'g', 'llm.guardrail.action': 'NONE' });
    expect(telemetry.metrics.value('llm_guardrail_requests_total', { provider: 'openai', model: 'm' })).toBe(1);
    expect(telemetry.metrics.value('llm_guardrail_requests_total')).toBe(2);
    expect(await listViolations(telemetry)).toEqual([]);
  });

  it('never throws', () => {
    const telemetry = createAlsTelemetry({ onError: () => {} });
    for (const odd of [undefined, null, 5, {}, { action: 5, category: {}, span: 'x' }, { span: {} }]) {
      telemetry.recordGuardrail(odd as never);
    }
    createAlsTelemetry({ enabled: false }).recordGuardrail({ action: 'NONE' });
  });
});

describe('the hook', () => {
  const verdict: GuardrailResult = { id: 'mine', action: 'GUARDRAIL_INTERVENED', category: 'violence' };

  it('reads a verdict off what was asked and answered, of whatever call', async () => {
    const seen: unknown[] = [];
    const guardrail = (exchange: unknown) => {
      seen.push(exchange);
      return verdict;
    };
    const done = await call(chatUrl, { model: 'gpt-4o', messages: [] }, chatCompletion(), { guardrail });
    expect(seen).toEqual([{ request: { model: 'gpt-4o', messages: [] }, response: chatCompletion() }]);
    expect([done.requests, done.violations]).toEqual([1, ['GUARDRAIL_INTERVENED VIOLENCE']]);
    expect(done.attributes).toEqual(['mine', 'GUARDRAIL_INTERVENED', ['VIOLENCE']]);
    seen.length = 0;
    await done.telemetry.llm(async (_question: string) => ({ answer: 42 }))('why?');
    expect(seen).toEqual([{ request: 'why?', response: { answer: 42 } }]);
  });

  it('is asked once, where a wrapper has the call inside of it', async () => {
    let asked = 0;
    const telemetry = createAlsTelemetry({
      fetch: async () => Response.json(chatCompletion()),
      guardrail: () => {
        asked++;
        return undefined;
      },
    });
    await telemetry.llm(() => telemetry.fetch(chatUrl, chatRequest()).then((response) => response.json()))();
    expect(asked).toBe(1);
  });

  it('sees what a stream came to', async () => {
    const seen: { response: unknown }[] = [];
    const chunk = { id: 'c', model: 'gpt-4o', choices: [{ index: 0, delta: { content: 'x' }, finish_reason: 'stop' }] };
    await call(chatUrl, { model: 'gpt-4o', stream: true }, [chunk], {
      guardrail: (exchange) => {
        seen.push(exchange);
        return undefined;
      },
    });
    expect(seen).toMatchObject([{ response: { id: 'c', finishReasons: ['stop'] } }]);
  });

  it('harms no call by what it throws or answers, and its trouble is reported', async () => {
    const errors: TelemetryError[] = [];
    const guardrail = () => {
      throw new Error('my bug');
    };
    const onError = (error: TelemetryError) => errors.push(error);
    const done = await call(chatUrl, { model: 'm' }, chatCompletion(), { guardrail, onError });
    expect(done.telemetry.metrics.value('llm_requests_total')).toBe(1);
    expect(errors).toHaveLength(1);
    for (const odd of [5, 'no', {}, { action: 7 }, Promise.resolve()]) {
      const other = await call(chatUrl, { model: 'm' }, chatCompletion(), { guardrail: () => odd as never, onError });
      expect(other.telemetry.metrics.value('llm_requests_total')).toBe(1);
      expect(other.violations).toEqual([]);
    }
  });

  it('must be a function', () => {
    expect(() => createAlsTelemetry({ guardrail: 5 as never })).toThrow(TelemetryError);
  });
});
