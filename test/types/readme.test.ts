import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, remedy } from '../clients/installed.ts';
import { ensureBuilt, root } from '../support/build.ts';
import { createConsumer, typeCheck } from './consumer.ts';

const installed = isInstalled('openai') && isInstalled('@anthropic-ai/sdk');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!);

/** The globals of the runtimes that the blocks are for. */
const globals = `
declare namespace Cloudflare { interface Env { OPENAI_API_KEY: string } }
declare const Deno: { serve(handler: (request: Request) => Response | Promise<Response>): void; env: { get(name: string): string | undefined } };
declare const Bun: { serve(options: { port: number; fetch(request: Request): Response | Promise<Response> }): void };
`;

describe('the README', () => {
  beforeAll(() => ensureBuilt());

  it.skipIf(!installed)(`has ${blocks.length} programs that type-check (${remedy})`, async () => {
    expect(blocks.length).toBeGreaterThan(5);
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023'],
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['@cloudflare/workers-types'],
    };
    const files = blocks.map((code, i) => [`block${i}.ts`, code]);
    const config = JSON.stringify({ compilerOptions, include: ['*.ts'] });
    expect(
      await typeCheck(
        createConsumer({ 'tsconfig.json': config, 'globals.d.ts': globals, ...Object.fromEntries(files) }),
      ),
    ).toBe('');
  });

  it('has the two commands on its first screen', () => {
    const first = readme.split('\n').slice(0, 25).join('\n');
    expect(first).toContain('npm ci && npm run demo');
    expect(first).toContain('npm ci && npm test');
  });
});
