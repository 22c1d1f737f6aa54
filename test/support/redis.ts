import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** On CI it must be there, so that nothing is skipped unnoticed. */
export const hasRedis = Boolean(process.env.CI) || spawnSync('redis-server', ['--version']).status === 0;
/** For the names of tests that are skipped. */
export const remedy = 'needs redis-server';

/** A redis-server on loopback with a port and a folder of its own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** As after a power cut: nothing is written that was not yet. */
  kill(): Promise<void>;
  /** Once more, on the same port and what is left in the folder. */
  start(): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
}

/** In memory alone, unless `durable`: then each write is on the disk before its reply. */
export async function startRedis({ durable = false, args = [] as readonly string[] } = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'edgespan-redis-'));
  const port = await findPort();
  const kept = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const all = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--save', '', ...kept, ...args];
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    server = spawn('redis-server', all, { stdio: ['ignore', 'pipe', 'ignore'] });
    await isReady(server);
  }

  async function kill(): Promise<void> {
    const running = server;
    server = undefined;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const closed = once(running, 'close');
    running.kill('SIGKILL');
    await closed;
  }

  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (log.includes('Ready to accept connections')) return;
      log += text;
      if (log.includes('Ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('close', () => reject(new Error(`redis-server ended: ${log.slice(-500)}`)));
  });
}

export async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
