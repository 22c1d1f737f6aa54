import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = "export { Budgets, default, Metrics } from './test/runtimes/workers/stored-state.worker.ts';";
const durableObjects = {
  METRICS: { className: 'Metrics', useSQLite: true },
  BUDGETS: { className: 'Budgets', useSQLite: true },
};

describe('what Durable Objects have stored', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-objects-'));
  let worker: StartedWorker;
  const begin = async () => {
    worker = await startWorker(program, { durableObjects, durableObjectsPersist: folder });
  };
  async function run(name: string): Promise<void> {
    const response = await worker.miniflare.dispatchFetch(`http://worker/${encodeURIComponent(name)}`);
    expect(JSON.parse(await response.text())).toEqual({ name });
  }
  beforeAll(begin);
  afterAll(async () => {
    await worker.stop();
    rmSync(folder, { recursive: true });
  });

  it.each([
    'counts batches once although the object is evicted between any two of them',
    'writes the whole state where a batch is too large for a row',
    'drops by its alarm what nobody touches any more',
    'forgets the ids of batches after one to two hours',
    'is woken by the platform, and not again before an id has to go',
    'keeps a series in every shard as long as one of them is touched',
    'shows a valid page where two shards know a family by other bounds',
    'gives back what callers that died have reserved',
    'clears the ledger of a key when its windows are over',
  ])('%s', run);

  it('keeps counts, ids of batches and reservations over a restart', async () => {
    await run('before a restart');
    await worker.stop();
    await begin();
    await run('keeps counts, ids of batches and reservations over a restart');
  });
});
