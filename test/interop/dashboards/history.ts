import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startPeer, until } from '../peer.ts';

/** Labels by name, the metric's own as `__name__`. */
export type Labels = Readonly<Record<string, string>>;
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** A page of metrics as it was scraped, and when. */
export interface Scrape {
  readonly page: string;
  readonly atMs: number;
}

/** A real Prometheus that has scraped these pages. */
export interface History {
  query(expr: string, atMs: number): Promise<Sample[]>;
  get<T>(route: string, params: Record<string, string>): Promise<T>;
  /** Takes what rules came to. */
  write(samples: readonly Sample[], atMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** The labels that Prometheus gives what it scrapes. */
const target = 'job="edgespan",instance="collector:8080"';

/** Blocks of samples with the times that we say, since nobody waits for 30 days. */
export async function startHistory(path: string, scrapes: readonly Scrape[]): Promise<History> {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-history-'));
  const data = join(folder, 'data');
  for (const [i, scrape] of scrapes.entries()) {
    const file = join(folder, `${i}.om`);
    writeFileSync(file, stamp(scrape));
    const { status, stderr } = spawnSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', '-q', file, data]);
    if (status !== 0) throw new Error(`promtool: ${stderr}`);
  }
  writeFileSync(join(folder, 'prometheus.yml'), '{}');
  const [port] = await freePorts(1);
  const peer = startPeer(path, [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    '--storage.tsdb.retention.time=20y',
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
  ]);
  const url = `http://127.0.0.1:${port}`;

  async function get<T>(route: string, params: Record<string, string>): Promise<T> {
    const response = await fetch(`${url}/api/v1/${route}?${new URLSearchParams(params)}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${params.query}: ${error}`);
    return data;
  }
  async function stop(): Promise<void> {
    await peer.stop();
    rmSync(folder, { recursive: true });
  }

  try {
    await until('Prometheus', async () => (await fetch(`${url}/-/ready`)).ok || undefined);
  } catch (error) {
    await stop();
    throw new Error(peer.output(), { cause: error });
  }
  return {
    get,
    stop,
    async query(expr, atMs) {
      type Answer = { resultType: string; result: { metric: Labels; value: [number, string] }[] };
      const { result } = await get<Answer>('query', { query: expr, time: String(atMs / 1000) });
      return result.map(({ metric, value }) => ({
        labels: metric,
        value: Number(value[1].replace('Inf', 'Infinity')),
      }));
    },
    async write(samples, atMs) {
      const response = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(snappy(encodeWrite(samples, atMs))),
      });
      if (!response.ok) throw new Error(`remote write: ${response.status} ${await response.text()}`);
    },
  };
}

/** The page's samples alone, as a target's, with a time. */
function stamp({ page, atMs }: Scrape): string {
  const lines = page.split('\n').filter((line) => line && !line.startsWith('#'));
  const samples = lines.flatMap((line) => {
    const [, name, labels, value] = /^(\w+)(?:\{(.*?)\})? (\S+)(?: # .*)?$/.exec(line)!;
    if (name!.endsWith('_created')) return [];
    return `${name}{${labels ? `${labels},` : ''}${target}} ${value} ${atMs / 1000}`;
  });
  return `${samples.join('\n')}\n# EOF\n`;
}

/** https://prometheus.io/docs/specs/prw/remote_write_spec/ */
function encodeWrite(samples: readonly Sample[], atMs: number): Buffer {
  return Buffer.concat(
    samples.map(({ labels, value }) => {
      const names = Object.keys(labels).toSorted();
      const pairs = names.map((name) => field(1, Buffer.concat([text(1, name), text(2, labels[name]!)])));
      const number = Buffer.alloc(9, 0x09);
      number.writeDoubleLE(value, 1);
      const sample = Buffer.concat([number, Buffer.from([0x10]), varint(BigInt(atMs))]);
      return field(1, Buffer.concat([...pairs, field(2, sample)]));
    }),
  );
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(BigInt(bytes.length)), bytes]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

/** Literals alone. https://github.com/google/snappy/blob/main/format_description.txt */
function snappy(bytes: Buffer): Buffer {
  const parts = [varint(BigInt(bytes.length))];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const literal = bytes.subarray(at, at + 65_536);
    const head = Buffer.from([61 << 2, 0, 0]);
    head.writeUInt16LE(literal.length - 1, 1);
    parts.push(head, literal);
  }
  return Buffer.concat(parts);
}
