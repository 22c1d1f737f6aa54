import { contentTypes, encode, exchanges } from '../support/exchanges.ts';
import { equal } from './assert.ts';
import { createTelemetry, type Suite, type SuiteTest } from './suite.ts';
import { createSource, cutUp, post } from './upstream.ts';

const seed = 7;

/** Each vendor's exchanges, in pieces as a network delivers them: one span with the model and all tokens. */
export const providers: Suite = Object.entries(exchanges).flatMap(([provider, list]) =>
  list.map(
    (exchange): SuiteTest => ({
      name: `providers: ${provider}, ${exchange.name}`,
      async run(env) {
        const bytes = encode(exchange.framing, exchange.events);
        const headers = { 'content-type': contentTypes[exchange.framing], ...exchange.headers };
        const source = createSource(cutUp(bytes, seed));
        const telemetry = createTelemetry(env, { fetch: async () => new Response(source.body, { headers }) });
        const response = await telemetry.fetch(exchange.url, post(exchange.request));
        equal([...new Uint8Array(await response.arrayBuffer())], [...bytes], 'the same bytes');
        equal(telemetry.spans.length, 1, 'one span');
        const { attributes, status } = telemetry.spans[0]!;
        equal(attributes['llm.provider'], provider, 'provider');
        equal(status.code, 0, 'status');
        equal(
          [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']],
          [...exchange.usage],
          'tokens',
        );
        equal(telemetry.metrics.value('llm_requests_total', { provider }), 1, 'counted once');
        equal(telemetry.metrics.value('edgespan_parse_errors_total') ?? 0, 0, 'read without a fault');
      },
    }),
  ),
);
