import { describe, expect, it } from 'vitest';
import {
  budgets,
  type CoreOptions,
  content,
  createMemoryMetricStore,
  createTelemetry,
  evaluations,
  foreignSpans,
  openai,
  openaiPrices,
  openTelemetry,
  presets,
  redaction,
  sessions,
  sharedMetrics,
  streamUsage,
  type Telemetry,
  wrapping,
} from '../src/core.ts';
import { TelemetryError } from '../src/index.ts';
import { chatCompletion, chatRequest, chatUrl, createAlsRuntime } from './support/telemetry.ts';

const parts = {
  openTelemetry,
  streamUsage,
  budgets,
  content,
  evaluations,
  foreignSpans,
  presets,
  redaction,
  sessions,
  sharedMetrics,
  wrapping,
};
const runtime = createAlsRuntime();

function refusal(fn: () => unknown): TelemetryError {
  try {
    fn();
  } catch (error) {
    if (error instanceof TelemetryError) return error;
    throw error;
  }
  throw new Error('was taken');
}

/** Options that need a part, and the part. */
const options: [option: string, part: keyof typeof parts, options: CoreOptions][] = [
  ['budget', 'budgets', { budget: { limits: { usd: 1 } } }],
  ['capture', 'content', { capture: { inputs: true } }],
  ['includeUsage', 'streamUsage', { includeUsage: true }],
  ['evaluation', 'evaluations', { evaluation: { evaluators: [{ name: 'mine', evaluate: () => ({ score: 1 }) }] } }],
  ['metrics.preset', 'presets', { metrics: { preset: 'rastir' } }],
  ['metrics.store', 'sharedMetrics', { metrics: { store: createMemoryMetricStore() } }],
  ['redact', 'redaction', { redact: /secret/ }],
];

/** Methods that set something up by a part. */
const methods: [method: string, part: keyof typeof parts, use: (telemetry: Telemetry) => unknown][] = [
  ['telemetry.budget', 'budgets', ({ budget }) => budget],
  ['telemetry.llm', 'wrapping', ({ llm }) => llm(() => 1)],
  ['telemetry.wrap', 'wrapping', (telemetry) => telemetry.wrap({})],
  ['telemetry.meterProvider', 'openTelemetry', ({ meter }) => meter],
  ['telemetry.register', 'openTelemetry', (telemetry) => telemetry.register()()],
  ['telemetry.session', 'sessions', (telemetry) => telemetry.session()],
  ['capture', 'content', ({ tool }) => tool({ capture: { inputs: true } }, () => 1)],
];

/** Methods that record by a part. */
const records: [method: string, part: keyof typeof parts, use: (telemetry: Telemetry) => void][] = [
  ['recordSpan', 'foreignSpans', (telemetry) => telemetry.recordSpan(telemetry.spans[0]!)],
  ['recordEvaluation', 'evaluations', (telemetry) => telemetry.recordEvaluation({ name: 'mine', score: 1 })],
  [
    'recordFeedback',
    'evaluations',
    (telemetry) => telemetry.recordFeedback({ name: 'thumb', traceId: '0af7651916cd43dd8448eb211c80319c', score: 1 }),
  ],
];

describe('edgespan/core', () => {
  it.each(options)('refuses the option %s without %s', (option, part, given) => {
    const { code, message, option: named } = refusal(() => createTelemetry({ runtime, ...given }));
    expect({ code, named }).toEqual({ code: 'invalid_option', named: option });
    expect(message).toBe(`${option} needs ${part}: import it from edgespan/core, and give it in features: [${part}]`);
  });

  it.each(options)('takes the option %s with %s', (_, part, given) => {
    const features = [parts[part]];
    expect(createTelemetry({ runtime, ...given, features }).health()).toBeDefined();
  });

  it.each(methods)('refuses %s without %s', (method, part, use) => {
    const { code, message } = refusal(() => use(createTelemetry({ runtime })));
    expect(code).toBe('invalid_option');
    expect(message).toContain(`${method} needs ${part}:`);
    expect(message).toContain(`features: [${part}]`);
  });

  it.each(methods)('takes %s with %s', (_, part, use) => {
    const features = [parts[part]];
    expect(() => use(createTelemetry({ runtime, features }))).not.toThrow();
  });

  it.each(records)('reports that %s needs %s', (method, part, use) => {
    const errors: TelemetryError[] = [];
    const telemetry = createTelemetry({ runtime, inMemory: true, onError: (error) => errors.push(error) });
    telemetry.trace(() => 1)();
    use(telemetry);
    expect(errors.map(({ message }) => message).join()).toContain(`${method} needs ${part}: import it`);
  });

  it('shows calls, tokens and costs without any of them', async () => {
    const telemetry = createTelemetry({
      runtime,
      inMemory: true,
      providers: [openai],
      prices: openaiPrices,
      fetch: async () => Response.json(chatCompletion()),
    });
    await (await telemetry.fetch(chatUrl, chatRequest())).json();
    expect(telemetry.spans[0]!.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': expect.any(Number) });
    expect(await telemetry.prometheus()).toContain('llm_cost_usd_total');
  });

  it('has a session show what was asked only with content', () => {
    const telemetry = createTelemetry({ runtime, features: [sessions] });
    expect(refusal(() => telemetry.session({ preview: 10 })).message).toContain('session.preview needs content:');
    expect(telemetry.session().usage()).toMatchObject({ calls: 0 });
  });

  it.each([[null], ['budgets'], [[undefined]]])('refuses features: %j', (features) => {
    expect(refusal(() => createTelemetry({ runtime, features: features as never })).option).toBe('features');
  });
});
