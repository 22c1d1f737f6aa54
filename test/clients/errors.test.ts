import { describe, expect, it } from 'vitest';
import { classifyError, errorName, isAbort } from '../../src/llm/error-class.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import * as tables from './error-table.ts';
import { isInstalled, remedy } from './installed.ts';

const installed = isInstalled('openai');

async function load(): Promise<
  [label: string, classes: ReturnType<typeof tables.errorClasses>, table: tables.ErrorTable][]
> {
  const openai = tables.errorClasses(await import('openai'), await import('openai/core/error'));
  const anthropic = tables.errorClasses(await import('@anthropic-ai/sdk'));
  const groq = tables.errorClasses(await import('groq-sdk'));
  const google = tables.errorClasses(await import('@google/genai'));
  const bedrock = tables.errorClasses(await import('@aws-sdk/client-bedrock-runtime'));
  const { default: cohereModule } = await import('cohere-ai');
  const cohere = tables.errorClasses(cohereModule, cohereModule.Cohere);
  const mistral = tables.errorClasses(await import('@mistralai/mistralai/models/errors'));
  const ai = tables.errorClasses(await import('ai'));
  const { z, ...zodModule } = await import('zod');
  const zod = tables.errorClasses(zodModule);
  const { error: zodError } = z.string().safeParse(1);
  return [
    ['openai', openai, tables.openaiErrors(openai)],
    ['@anthropic-ai/sdk', anthropic, tables.anthropicErrors(anthropic)],
    ['groq-sdk', groq, tables.stainless(groq, 'GroqError')],
    ['@google/genai', google, tables.googleErrors(google)],
    ['@aws-sdk/client-bedrock-runtime', bedrock, tables.bedrockErrors(bedrock, false)],
    ['the same inside a stream', bedrock, tables.bedrockErrors(bedrock, true)],
    ['cohere-ai', cohere, tables.cohereErrors(cohere)],
    ['@mistralai/mistralai', mistral, tables.mistralErrors(mistral, zodError)],
    ['ai', ai, tables.aiErrors(ai)],
    ['zod', zod, tables.zodErrors(zod)],
  ];
}

const packages = installed ? await load() : [];
const zod = installed
  ? { z: (await import('zod')).z, mini: await import('zod/mini'), v3: (await import('zod/v3')).z }
  : undefined;

describe.skipIf(!installed).each(packages)(`the errors of %s (${remedy})`, (_label, classes, table) => {
  it('are all here', () => {
    expect(Object.keys(table).sort()).toEqual([...classes.keys()].sort());
  });

  it.each(Object.entries(table))('%s', async (name, [make, outcome]) => {
    const error = make();
    expect(error).toBeInstanceOf(classes.get(name)!);
    const wrapped = new Error('The agent failed.', { cause: error });
    expect([isAbort(error), isAbort(wrapped)]).toEqual([outcome === 'aborted', outcome === 'aborted']);
    const errorClass = outcome === 'aborted' ? 'unknown' : outcome;
    expect(classifyError({ thrown: error })).toBe(errorClass);
    expect(classifyError({ thrown: wrapped })).toBe(errorClass);
    expect(classifyError({ thrown: Object.freeze(new AggregateError([error])) })).toBe(errorClass);

    const telemetry = createTestTelemetry();
    const call = telemetry.llm({ provider: 'acme', model: 'm' }, async () => {
      throw error;
    });
    await expect(call()).rejects.toBe(error);
    const [span] = telemetry.spans;
    const counted = (error_type: string) => telemetry.metrics.value('llm_errors_total', { error_type });
    const seen = {
      status: span!.status.code,
      class: span!.attributes['edgespan.error_class'],
      legacy: span!.attributes['llm.error_type'],
      type: span!.attributes['error.type'],
      aborted: span!.attributes['edgespan.aborted'],
      counted: counted(errorClass),
    };
    if (outcome === 'aborted') {
      expect(seen).toMatchObject({ status: 0, aborted: true });
      expect(seen).toMatchObject({ class: undefined, legacy: undefined, type: undefined, counted: undefined });
    } else {
      const type = errorName(error);
      expect(seen).toEqual({ status: 2, class: outcome, legacy: type, type, aborted: undefined, counted: 1 });
      // The AI SDK and some others give their errors a prefix or a suffix, zod's classes a dollar sign.
      expect(type).toContain(name.replace('Experimental_', '').replace('AISDKError', 'AI_SomeError'));
    }
  });
});

describe.skipIf(!zod)('what zod throws', () => {
  const { z, mini, v3 } = zod ?? ({} as NonNullable<typeof zod>);
  it.each<[string, () => unknown]>([
    ['for a value of another type', () => z.string().parse(1)],
    ['in its small edition', () => mini.string().parse(1)],
    ['in its third version', () => v3.string().parse(1)],
    [
      'for a promise where none may be',
      () =>
        z
          .string()
          .refine(async () => true)
          .parse('x'),
    ],
    [
      'for what goes one way only',
      () =>
        z.encode(
          z.string().transform((text) => text),
          'x',
        ),
    ],
  ])('%s', (_name, fail) => {
    const thrown = catchThrown(fail);
    expect(classifyError({ thrown })).toBe('validation_error');
    expect(classifyError({ thrown: new Error('x', { cause: thrown }) })).toBe('validation_error');
  });
  it('or hands out, which is no Error', () => {
    expect(classifyError({ thrown: new z.ZodError([]) })).toBe('validation_error');
  });
});

function catchThrown(fail: () => unknown): unknown {
  try {
    fail();
  } catch (error) {
    return error;
  }
  return expect.unreachable('nothing was thrown');
}
