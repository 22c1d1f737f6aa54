import { boolean, type Checks, checkValues, fn, group, join, list, needed, oneOf, string, text } from '../checks.ts';
import type { Engine } from '../engine.ts';
import { vendorOf } from '../llm/client-address.ts';
import { kindOf } from '../llm/gated.ts';
import { createModelCallRunner, type ModelCallRunner } from '../llm/model-call.ts';
import { type WrapOptions, wrapObject } from '../llm/wrap.ts';
import { capture, spanChecks } from '../llm/wrapper-checks.ts';
import { createWrapper, type LlmOptions, type LlmWrapper } from '../llm/wrappers.ts';
import { isOn } from '../observed-fetch.ts';
import type { Shared } from '../parts.ts';
import type { ContextView } from '../trace/context.ts';
import { type Feature, need } from './feature.ts';

const modelChecks: Checks = { provider: text, model: text, response: fn };
const llmChecks = /* @__PURE__ */ join(spanChecks, modelChecks, {
  operation: string,
  evaluate: boolean,
  prompt: /* @__PURE__ */ group({ name: /* @__PURE__ */ needed(string), version: text }),
});
const names = /* @__PURE__ */ list(string);
const wrapChecks = /* @__PURE__ */ join(modelChecks, {
  name: string,
  type: /* @__PURE__ */ oneOf('trace', 'agent', 'llm', 'tool', 'retrieval', 'infra'),
  include: names,
  exclude: names,
  capture,
});

function createRunner({ recorder, providers, streams, budget, diagnostics }: Engine): ModelCallRunner {
  return createModelCallRunner({ recorder, providers, streams, gate: budget?.gate, report: diagnostics.report });
}

function createLlm(shared: Shared, view: ContextView): LlmWrapper {
  const wrapper = createWrapper<LlmOptions<never>>(
    'llm',
    (options, name, fn) => {
      if (options.capture) need(shared.engine.features, 'content', 'capture');
      const named = { ...options, name, functionKind: kindOf(fn) };
      return (call, args) => (isOn(shared) ? shared.runModelCall!(view, { ...named, args }, call) : call());
    },
    llmChecks,
  );
  return wrapper as LlmWrapper;
}

function wrap<T extends object>(shared: Shared, view: ContextView, target: T, options: WrapOptions<T>): T {
  checkValues(options, wrapChecks, 'wrap.');
  if (options.capture) need(shared.engine.features, 'content', 'wrap.capture');
  return wrapObject(target, options, {
    isOn: () => isOn(shared),
    // Those of now: a telemetry that waits for its `env` gets others with it.
    run: (...given) => shared.runner.run(...given),
    runModelCall: (...given) => shared.runModelCall!(...given),
    view,
    vendorOf: (client) => vendorOf(client, shared.engine.providers),
    owner: shared,
  });
}

export const wrappingPart = { createRunner, createLlm, wrap };

/** Functions and objects that ask models, whose values tell by their shape what was asked and answered: `llm`, `wrap`. */
export const wrapping: Feature = { wrapping: wrappingPart };
