import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { createSqliteTraceStore } from '../../src/collector/index.ts';
import { json } from '../../src/otlp/json.ts';
import { bundleFile } from '../support/bundle.ts';
import { startChild } from '../support/child.ts';
import { chatSpan } from './support.ts';

const program = `
  import { DatabaseSync } from 'node:sqlite';
  import { serve } from '@hono/node-server';
  import { createCollector, createSqliteTraceStore } from 'edgespan/collector';
  const collector = createCollector({ traces: createSqliteTraceStore(new DatabaseSync(process.env.FILE)) });
  serve({ fetch: collector.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log('port ' + port));
`;

it('has stored all that it answered 200, although it was killed in the middle', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-kill-'));
  const file = join(folder, 'traces.db');
  const child = startChild('node', await bundleFile('collector-kill', program), { FILE: file });
  try {
    const url = `http://127.0.0.1:${(await child.line('port ')).slice(5)}/v1/traces`;
    const answered: string[] = [];
    let next = 0;
    async function sendOn(): Promise<void> {
      for (;;) {
        const traceId = String(++next).padStart(32, 'a');
        const spans = ['1', '2', '3'].map((id) => chatSpan({ traceId, spanId: id.padStart(16, '0') }));
        const body = json.traces(spans) as Uint8Array<ArrayBuffer>;
        try {
          const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
          if (response.status === 200) answered.push(traceId);
        } catch {
          return;
        }
        // While others are under way.
        if (answered.length === 200) child.process.kill('SIGKILL');
      }
    }
    await Promise.all(Array.from({ length: 8 }, sendOn));
    await child.ended;
    const store = createSqliteTraceStore(new DatabaseSync(file));
    expect(answered.length).toBeGreaterThanOrEqual(200);
    for (const traceId of answered) expect(await store.get(traceId, 'default')).toHaveLength(3);
  } finally {
    child.process.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});
