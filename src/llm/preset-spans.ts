import type { Attributes } from '@opentelemetry/api';
import type { Emitter } from './emitter.ts';
import type { Verdict } from './guardrail.ts';
import { metricDialect, type PresetName } from './presets.ts';
import { round } from './response.ts';
import { llmOperation } from './semconv.ts';
import { ownSpans, type SpanAttributes, type SpanDialect } from './span-dialect.ts';

/** What a system calls spans, and says of them. */
export function presetSpans(preset: PresetName, emitter: Emitter, pricingProfile: string | undefined): SpanDialect {
  switch (preset) {
    case 'ractogateway':
      return { callName: (_, operation) => `llm.${llmOperation(operation, false)}`, workName: ownSpans.workName };
    case 'synapsekit':
      return {
        callName: (_, operation) => (operation === 'embed' ? 'embedding.encode' : 'llm.generate'),
        workName: ownSpans.workName,
      };
    case 'rastir':
      return {
        // Of a bare `fetch` there is no function to name.
        callName: (own, _, called) => called ?? own,
        workName: (_, called) => called,
        attributes: rastirAttributes(emitter, pricingProfile ?? 'default'),
      };
  }
}

/** Names of the standards, which need no second one. */
const standard = /^(gen_ai|server|http|edgespan|llm|rastir)\./;

/** `rastir.<name>` for all that has one value, as its exporter writes what its decorators and `wrap` know. */
function rastirAttributes({ service, env, version }: Emitter, profile: string): SpanAttributes {
  const { provider } = metricDialect('rastir', undefined);

  function add(given: Attributes): Attributes {
    const named: Attributes = {};
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined || value === '' || typeof value === 'object' || standard.test(name)) continue;
      named[`rastir.${name}`] = value;
    }
    return named;
  }

  return {
    provider,
    add,
    start: (type, given) => ({
      'rastir.service': service,
      'rastir.env': env,
      ...add({ version, span_type: type, ...given }),
    }),
    guardrail: (verdict) => add(describeVerdict(verdict)),
    call({ request, response, agent, cost, failure, verdict }, firstTokenSeconds) {
      const { usage, finishReasons } = response;
      const model = response.model ?? request.model;
      const isMissing = usage !== undefined && cost === undefined;
      return add({
        model: model ?? 'unknown',
        provider: provider(response.provider ?? request.provider, model ?? ''),
        agent,
        tokens_input: usage?.input,
        tokens_output: usage?.output,
        finish_reason: finishReasons?.[0],
        ...(request.stream && { streaming: true }),
        ...(firstTokenSeconds !== undefined && { ttft_ms: round(firstTokenSeconds * 1000, 2) }),
        cost_usd: cost?.totalUsd,
        ...((cost || isMissing) && { pricing_missing: isMissing, pricing_profile: profile }),
        ...(verdict && describeVerdict(verdict)),
        'error.type': failure?.name,
        'error.message': failure?.message,
      });
    },
  };
}

function describeVerdict({ id, version, asked, action, categories }: Verdict): Attributes {
  return {
    ...(asked && { guardrail_id: id, guardrail_enabled: true }),
    guardrail_version: version,
    guardrail_action: action,
    guardrail_category: categories[0],
  };
}
