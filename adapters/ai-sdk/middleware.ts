import { safely } from '../../src/errors.ts';
import { asObject } from '../../src/json.ts';
import { isOn } from '../../src/observed-fetch.ts';
import { getParts, type Parts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import type { AiSdkOptions } from './index.ts';
import { type Asked, admit, failed, startModelCall } from './model-call.ts';

/** A middleware for models of the AI SDK 5, 6 and 7. */
export interface AiSdkMiddleware {
  readonly specificationVersion: 'v3';
  wrapGenerate<R>(options: { doGenerate: () => PromiseLike<R>; params: unknown; model: unknown }): Promise<R>;
  wrapStream<R>(options: { doStream: () => PromiseLike<R>; params: unknown; model: unknown }): Promise<R>;
}

/**
 * Records the calls of one model of the AI SDK: for its versions 5 and 6, and for calls that are made without telemetry
 * in version 7. Each try of a call is a span, and none is made that a budget
 * refuses; results, streams and errors are the model's own.
 *
 * @example
 * const model = wrapLanguageModel({ model: openai('gpt-4o-mini'), middleware: aiSdkMiddleware(telemetry) });
 */
export function aiSdkMiddleware(telemetry: Telemetry, { recordInputs = true }: AiSdkOptions = {}): AiSdkMiddleware {
  const parts = getParts(telemetry);
  return {
    specificationVersion: 'v3',
    wrapGenerate: ({ doGenerate, params, model }) => run(parts, readAsked(params, model, false), doGenerate),
    wrapStream: ({ doStream, params, model }) => run(parts, readAsked(params, model, true), doStream),
  };

  function readAsked(params: unknown, model: unknown, isStream: boolean): Asked {
    const recording = { inputs: recordInputs, outputs: true };
    return { model: asObject(model) ?? {}, settings: asObject(params) ?? {}, recording, isStream };
  }
}

async function run<R>(parts: Parts, asked: Asked, execute: () => PromiseLike<R>): Promise<R> {
  const { engine, view } = parts;
  if (!isOn(parts)) return execute();
  const context = view.active();
  const admission = await admit(parts, asked, context);
  const call = safely(() => startModelCall(parts, asked, context, admission), engine.diagnostics.report);
  if (!call) return execute();
  try {
    return await call.run(execute);
  } catch (error) {
    call.end(failed(error));
    throw error;
  }
}
