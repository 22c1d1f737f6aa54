import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../support/child.ts';
import { startWorker } from '../support/worker.ts';
import { untilReady } from './collector/run.ts';
import { freePorts, startPeer } from './peer.ts';

const program = fileURLToPath(new URL('fleet-program.ts', import.meta.url));

/** A file of `examples/fleet` with other addresses and intervals; each must be in it. */
export function readExample(name: string, replace: Record<string, string>): string {
  let text = readFileSync(new URL(`../../examples/fleet/${name}`, import.meta.url), 'utf8');
  for (const [from, to] of Object.entries(replace)) {
    if (!text.includes(from)) throw new Error(`${name} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** The Collector of the example: where it listens, and its page for Prometheus. */
export async function startFleetCollector(path: string) {
  const [first, second, own] = await freePorts(3);
  const [otlp, page] = [`127.0.0.1:${first}`, `127.0.0.1:${second}`];
  const addresses = { '0.0.0.0:4318': otlp, '0.0.0.0:9464': page, 'port: 8888': `port: ${own}` };
  const config = readExample('collector.yaml', addresses);
  const peer = startPeer(path, ['--config', `yaml:${config}`]);
  await untilReady(peer);
  return { endpoint: `http://${otlp}`, page, ownPage: `127.0.0.1:${own}`, stop: () => peer.stop() };
}

const service = { OTEL_SERVICE_NAME: 'fleet', OTEL_TRACES_EXPORTER: 'none' };

/** A Node process that makes so many calls; it ends by itself unless it serves its metrics. */
export function startProcess(calls: number, env: Record<string, string>): Child {
  return startChild('node', program, { ...service, CALLS: `${calls}`, ...env });
}

/** A Worker, which pushes deltas at the end of each request: one call a request. */
export async function startFleetWorker(endpoint: string) {
  const module = `
    import { createTelemetry, instrument } from 'edgespan/workers';
    const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
    const completion = { id: 'chatcmpl-7', object: 'chat.completion', model: 'acme-1', choices: [], usage };
    const telemetry = createTelemetry({
      fetch: async () => Response.json(completion),
      prices: { 'acme-1': { input: 1000, output: 4000 } },
    });
    async function handle() {
      const body = JSON.stringify({ model: 'acme-1', messages: [] });
      const headers = { 'content-type': 'application/json' };
      await (await telemetry.fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', headers, body })).json();
      // deltatocumulative drops what is older than what it has: the deltas of one instance must come in their order.
      await telemetry.flush();
      return new Response('called');
    }
    export default instrument({ fetch: handle }, telemetry);`;
  const { url, stop } = await startWorker(module, { bindings: { ...service, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  let stopped: Promise<void> | undefined;
  return {
    url,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** What a page in Prometheus's text says of a metric, summed over its series, and the instances that have one. */
export function readPage(text: string, metric: string, label = '') {
  const lines = text.split('\n').filter((line) => line.startsWith(`${metric}{`) && line.includes(label));
  const sum = lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return { sum, instances: new Set(lines.map((line) => /instance="([^"]*)"/.exec(line)?.[1])).size };
}
