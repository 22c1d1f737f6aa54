import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { bundle } from './support/bundle.ts';

/** The program of a page that has this in it. */
function programOf(page: string, part: string): string {
  const programs = [...readFileSync(page, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!);
  const [program] = programs.filter((code) => code.includes(part));
  if (!program) throw new Error(`${page} has no program with ${part}`);
  return program;
}

const answer = {
  id: 'resp_1',
  object: 'response',
  model: 'gpt-4o-2024-08-06',
  status: 'completed',
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'It scatters.' }] }],
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
};

/** Runs a program of a page as a reader would, but for the network, and gives what it exports. */
async function run(program: string): Promise<Record<string, unknown>> {
  const text = await bundle(program, 'server');
  const { fetch } = globalThis;
  const folder = process.cwd();
  const own = mkdtempSync(join(tmpdir(), 'edgespan-docs-'));
  globalThis.fetch = async () => Response.json(answer);
  process.chdir(own);
  onTestFinished(() => {
    globalThis.fetch = fetch;
    process.chdir(folder);
    rmSync(own, { recursive: true });
  });
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
}

it('tells what a session of the README costs', async () => {
  const program = programOf('README.md', 'session.usage()');
  const { usage } = await run(`${program}\nexport const usage = session.usage();`);
  expect(usage).toMatchObject({ calls: 1, inputTokens: 10, outputTokens: 5, costUsd: 0.000075 });
});

it('has both entries in the audit log of its page', async () => {
  const program = programOf('docs/audit.md', 'createJsonlAuditStore');
  const { records, verified } = await run(
    `${program.replaceAll('const {', 'export const {')}\nexport const verified = await audit.verify();`,
  );
  expect(program).toContain('// { ok: true, count: 2 }');
  expect(verified).toEqual({ ok: true, count: 2 });
  expect(records).toMatchObject([
    { user: 'ann', model: 'gpt-4o-2024-08-06', output: expect.stringContaining('It scatters.') },
    { user: 'ann', model: 'in-house', costUsd: 0.002 },
  ]);
});
