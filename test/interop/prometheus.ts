import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startPeer, until } from './peer.ts';

/** Prometheus's HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export interface Prometheus {
  get<T>(path: string, params?: Record<string, string>): Promise<T>;
  /** The value of a query that gives one number. */
  query(query: string): Promise<number | undefined>;
  readonly url: string;
  stop(): Promise<void>;
}

/** What a scrape has to show. */
export const token = 'scrape-me-1234';

/** One that scrapes our page every second, or nobody. */
export function startPrometheus(path: string, scraped: string | undefined, flags: string[] = []): Promise<Prometheus> {
  const job = scraped && {
    job_name: 'shop',
    scrape_interval: '1s',
    scrape_timeout: '1s',
    authorization: { credentials: token },
    static_configs: [{ targets: [new URL(scraped).host] }],
  };
  return runPrometheus(path, JSON.stringify({ scrape_configs: job ? [job] : [] }), flags);
}

/** One with this configuration, YAML or JSON. */
export async function runPrometheus(path: string, config: string, flags: string[] = []): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-prometheus-'));
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const peer = startPeer(path, [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    ...flags,
  ]);
  const url = `http://${address}`;

  async function get<T>(route: string, params: Record<string, string> = {}): Promise<T> {
    const response = await fetch(`${url}/api/v1/${route}?${new URLSearchParams(params)}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(error);
    return data;
  }

  async function stop(): Promise<void> {
    await peer.stop();
    rmSync(folder, { recursive: true });
  }

  async function query(text: string): Promise<number | undefined> {
    const { result } = await get<{ result: { value: [number, string] }[] }>('query', { query: text });
    if (result.length > 1) throw new Error(`${text} gives ${result.length} series`);
    return result[0] && Number(result[0].value[1].replace('Inf', 'Infinity'));
  }

  try {
    await until('Prometheus', async () => (await fetch(`${url}/-/ready`)).ok || undefined);
  } catch (error) {
    await stop();
    throw new Error(peer.output(), { cause: error });
  }
  return { get, query, url, stop };
}

/** Waits until a query gives this number, which every scrape may change. */
export async function untilQuery(prometheus: Prometheus, query: string, value: number): Promise<void> {
  let last: number | undefined;
  const look = async () => {
    last = await prometheus.query(query);
    return last === value || undefined;
  };
  await until(`${query} = ${value}`, look).catch((error) => {
    throw new Error(`${query} is ${last}, not ${value}`, { cause: error });
  });
}
