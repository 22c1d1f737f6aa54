import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metric, Metrics, Span, Traces } from '../otlp-json.ts';
import { freePorts, type Peer, startPeer, until } from '../peer.ts';

/** What the guarded receiver wants to see, and the largest body that the small one takes. */
export const token = 'let-me-in-1234';
export const smallBodyBytes = 8192;

/** A Collector that listens. */
export interface Collector {
  readonly endpoint: string;
  /** Below a base path, for those who have the token. */
  readonly guardedEndpoint: string;
  readonly smallEndpoint: string;
  /** Batches of a service, as the file exporter wrote them, oldest first. */
  traces(service: string): Traces[];
  metrics(service: string): Metrics[];
  /** The page of its Prometheus exporter. */
  page(openMetrics?: boolean): Promise<string>;
  stop(): Promise<void>;
}

export async function startCollector(path: string, ports?: number[]): Promise<Collector> {
  const [http = 0, guarded = 0, small = 0, prometheus = 0] = ports ?? (await freePorts(4));
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-collector-'));
  const files = { traces: join(folder, 'traces.json'), metrics: join(folder, 'metrics.json') };
  const at = (port: number) => `127.0.0.1:${port}`;
  const config = {
    extensions: { bearertokenauth: { token } },
    receivers: {
      otlp: { protocols: { http: { endpoint: at(http) } } },
      'otlp/guarded': {
        protocols: {
          http: {
            endpoint: at(guarded),
            traces_url_path: '/tenants/acme/v1/traces',
            metrics_url_path: '/tenants/acme/v1/metrics',
            auth: { authenticator: 'bearertokenauth' },
          },
        },
      },
      'otlp/small': { protocols: { http: { endpoint: at(small), max_request_body_size: smallBodyBytes } } },
    },
    processors: { deltatocumulative: {} },
    exporters: {
      'file/traces': { path: files.traces, flush_interval: '10ms' },
      'file/metrics': { path: files.metrics, flush_interval: '10ms' },
      prometheus: { endpoint: at(prometheus), enable_open_metrics: true },
    },
    service: {
      extensions: ['bearertokenauth'],
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp', 'otlp/guarded', 'otlp/small'], exporters: ['file/traces'] },
        metrics: { receivers: ['otlp', 'otlp/guarded'], exporters: ['file/metrics'] },
        'metrics/prometheus': { receivers: ['otlp'], processors: ['deltatocumulative'], exporters: ['prometheus'] },
      },
    },
  };
  const peer = startPeer(path, ['--config', `yaml:${JSON.stringify(config)}`]);
  await untilReady(peer);
  return {
    endpoint: `http://${at(http)}`,
    guardedEndpoint: `http://${at(guarded)}/tenants/acme/`,
    smallEndpoint: `http://${at(small)}`,
    traces: (service) =>
      readLines<Traces>(files.traces).filter(({ resourceSpans }) => resourceSpans?.some(isOf(service))),
    metrics: (service) =>
      readLines<Metrics>(files.metrics).filter(({ resourceMetrics }) => resourceMetrics?.some(isOf(service))),
    async page(openMetrics = false) {
      const accept = openMetrics ? 'application/openmetrics-text;version=1.0.0' : 'text/plain';
      return (await fetch(`http://${at(prometheus)}/metrics`, { headers: { accept } })).text();
    },
    async stop() {
      await peer.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** When it listens; what it said instead is in the error. */
export async function untilReady(peer: Peer): Promise<void> {
  try {
    await until('the Collector', () => peer.output().includes('Everything is ready') || undefined);
  } catch (error) {
    await peer.stop();
    throw new Error(peer.output(), { cause: error });
  }
}

/** Whole lines: the last one may still be under way. */
function readLines<T>(file: string): T[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}

function isOf(service: string) {
  return ({ resource }: { resource?: { attributes?: { key: string; value?: { stringValue?: string } }[] } }) =>
    resource?.attributes?.some(({ key, value }) => key === 'service.name' && value?.stringValue === service) ?? false;
}

export function findSpan(batches: readonly Traces[], name: string): Span {
  const spans = batches.flatMap(({ resourceSpans = [] }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((group) => group.spans)),
  );
  const found = spans.filter((span) => span.name === name);
  if (found.length !== 1) throw new Error(`${found.length} spans "${name}" of ${spans.map((span) => span.name)}`);
  return found[0]!;
}

export function findMetric({ resourceMetrics = [] }: Metrics, name: string): Metric {
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((group) => group.metrics));
  const found = metrics.filter((metric) => metric.name === name);
  if (found.length !== 1)
    throw new Error(`${found.length} metrics "${name}" of ${metrics.map((metric) => metric.name)}`);
  return found[0]!;
}
