import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace';
import {
  createTelemetry,
  defineProvider,
  type ExportFunction,
  type LlmResponse,
  type SpanExporter,
} from 'edgespan/node';

interface AcmeReply {
  model?: string;
  tokens?: [input: number, output: number];
}

/** A vendor that nobody knows, with a dialect of its own. */
const acme = defineProvider({
  name: 'acme',
  match: ({ url }) => (url.hostname === 'llm.acme.dev' ? 'chat' : undefined),
  request: ({ body }) => ({ model: (body as { model?: string }).model, stream: false }),
  response(json): LlmResponse {
    const { model, tokens } = json as AcmeReply;
    return { model, usage: { input: tokens?.[0], output: tokens?.[1] } };
  },
  stream() {
    let last: { n?: number } | undefined;
    return {
      event: ({ json }) => {
        last = json as { n?: number };
        return 'content';
      },
      result: () => ({ usage: { output: last?.n } }),
    };
  },
});

export const exported: string[] = [];
const collect: ExportFunction = async (spans) => {
  exported.push(...spans.map(({ name }) => name));
};
const broken: SpanExporter = {
  export: (_spans, done) => done({ code: 1, error: new Error('full') }),
  shutdown: async () => {},
};

export const telemetry = createTelemetry({
  providers: [acme],
  prices: { 'acme/one': { input: 1, output: 2 } },
  exporters: [new ConsoleSpanExporter(), collect, broken],
  inMemory: true,
  fetch: async () => Response.json({ model: 'one', tokens: [1000, 500] } satisfies AcmeReply),
});

export async function ask(): Promise<void> {
  const body = JSON.stringify({ model: 'one' });
  const response = await telemetry.fetch('https://llm.acme.dev/talk', { method: 'POST', body });
  await response.json();
}

const jobs = telemetry.metrics.counter('jobs_total', { help: 'Jobs done', labels: ['queue', 'result'] });
jobs.inc({ queue: 'mail', result: 'ok' });
export function mistakes(): void {
  // @ts-expect-error only the labels that were defined
  jobs.inc({ colour: 'red' });
  // @ts-expect-error a histogram does not count up
  telemetry.metrics.histogram('rows').inc();
}

const seconds = telemetry.metrics.histogram('job_seconds', { labels: ['queue'], buckets: [0.1, 1, 10] });
export const elapsed: number = seconds.startTimer({ queue: 'mail' })();
telemetry.metrics.gauge('queue_depth', { observe: () => 3 });
telemetry.metrics.gauge('free_slots', { labels: ['pool'], observe: () => [[{ pool: 'a' }, 2]] });
telemetry.meter.createCounter('otel_style').add(1, { queue: 'mail' });
