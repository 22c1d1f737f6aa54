import { request } from 'node:http';
import { type ModelServer, startModelServer } from '../../support/model-server.ts';
import { type OtlpServer, startOtlpServer } from '../../support/otlp-server.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

export interface World {
  readonly worker: StartedWorker;
  readonly otlp: OtlpServer;
  readonly model: ModelServer;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** What flushes did so far, once everything recorded has been delivered or dropped. */
  accounting(): Promise<Record<string, unknown>>;
  /** Forgets what was received, after the last of it has come. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

const app = "export { default, Helper, Room } from './test/runtimes/workers/app.worker.ts';";

/** The app's Worker with a model and an OTLP receiver on loopback. */
export async function startWorld(bindings: Record<string, unknown> = {}): Promise<World> {
  const [otlp, model] = await Promise.all([startOtlpServer(), startModelServer()]);
  const worker = await startWorker(app, {
    name: 'app',
    bindings: {
      OTEL_SERVICE_NAME: 'from-env',
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
      UPSTREAM: model.url,
      ...(bindings as Record<string, string>),
    },
    durableObjects: { ROOM: { className: 'Room', useSQLite: true } },
    serviceBindings: { HELPER: { name: 'app', entrypoint: 'Helper' } },
  });
  async function accounting(): Promise<Record<string, unknown>> {
    for (;;) {
      const counted = (await (await fetch(new URL('/accounting', worker.url))).json()) as Record<string, number>;
      if (counted.recorded === counted.sent! + counted.dropped!) return counted;
    }
  }

  return {
    worker,
    otlp,
    model,
    get: (path, init) => fetch(new URL(path, worker.url), { redirect: 'manual', ...init }),
    accounting,
    async clear() {
      await accounting();
      otlp.clear();
      model.clear();
    },
    async stop() {
      await Promise.all([worker.stop(), otlp.stop(), model.stop()]);
    },
  };
}

/** A client that leaves in the middle of an answer. */
export async function leaveAfterFirstChunk(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, (response) => {
      response.once('data', (chunk) => {
        // A closed connection is noticed at the next write, a reset one at once.
        response.socket.resetAndDestroy();
        resolve(String(chunk));
      });
      response.on('error', () => {});
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}
