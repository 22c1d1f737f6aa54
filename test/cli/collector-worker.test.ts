import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import { type StartedWorker, startWorker } from '../support/worker.ts';
import { traceOf } from './run.ts';

const folder = 'examples/collector-worker';

describe('the collector as a Worker', () => {
  let worker: StartedWorker;
  beforeAll(async () => {
    const program = `export * from './${folder}/worker.ts'; export { default } from './${folder}/worker.ts';`;
    worker = await startWorker(program, {
      bindings: { KEYS: 'sesame==shop, open=blog', ADMIN_KEY: 'hunter2' },
      durableObjects: {
        METRICS: { className: 'MetricsAggregator', useSQLite: true },
        TRACES: { className: 'TraceArchive', useSQLite: true },
      },
    });
  });
  afterAll(() => worker?.stop());

  const ask = (path: string, key: string, init: { method?: string; body?: string } = {}) =>
    fetch(new URL(path, worker.url), { ...init, headers: { 'x-api-key': key, 'content-type': 'application/json' } });

  it('takes spans, shows them to their tenant, and counts them', async () => {
    const { traceId, body } = traceOf(1, { spans: 4 });
    const sent = await ask('/v1/traces', 'sesame=', { method: 'POST', body: JSON.stringify(body) });
    expect([sent.status, await sent.text()]).toEqual([200, '{}']);
    const found = (await (await ask(`/v1/traces/${traceId}`, 'sesame=')).json()) as { spans: unknown[] };
    expect(found.spans).toHaveLength(4);
    expect((await ask(`/v1/traces/${traceId}`, 'open')).status).toBe(404);
    expect((await ask('/v1/traces', 'guess')).status).toBe(401);
    const metrics = await (await ask('/metrics', 'hunter2')).text();
    expect(metrics).toMatch(/^llm_requests_total\{.*service="shop".*\} 3$/m);
    expect(worker.stderr.join('')).toBe('');
  });

  it('can be deployed by wrangler, with the objects that its program exports', async () => {
    await ensureBuilt({ types: false });
    const config = await readFile(join(folder, 'wrangler.toml'), 'utf8');
    const program = await readFile(join(folder, 'worker.ts'), 'utf8');
    for (const [, name] of config.matchAll(/class_name = "(\w+)"/g)) expect(program).toContain(name);
    const out = await mkdtemp(join(tmpdir(), 'edgespan-'));
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' };
    const args = ['deploy', '--dry-run', '--outdir', out, '-c', join(folder, 'wrangler.toml')];
    const { stdout } = await promisify(execFile)('node_modules/.bin/wrangler', args, { env });
    expect(stdout).toContain('--dry-run: exiting now.');
    await rm(out, { recursive: true });
  });
});
