import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, remedy } from '../clients/installed.ts';
import { ensureBuilt, root } from '../support/build.ts';
import { createConsumer, packages, typeCheck } from './consumer.ts';

interface Page {
  readonly path: string;
  /** The programs that it has, by the names of their files. */
  readonly programs: Readonly<Record<string, string>>;
  /** Packages that they import and that are not there. */
  readonly missing: readonly string[];
}

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
const pages = ['README.md', ...docs.map((name) => `docs/${name}`)].map(readPage);
const withPrograms = pages.filter(({ programs }) => Object.keys(programs).length > 0);

function readPage(path: string): Page {
  const name = path.replace(/\.md$/, '').replaceAll('/', '-');
  const blocks = [...readFileSync(join(root, path), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)];
  const programs = Object.fromEntries(blocks.map(([, code], i) => [`${name}-${i + 1}.ts`, code!]));
  return { path, programs, missing: missingFrom(Object.values(programs)) };
}

function missingFrom(programs: readonly string[]): string[] {
  const imports = programs.flatMap((code) => [...code.matchAll(/from '(@[\w.-]+\/[\w.-]+|[\w.-]+)/g)]);
  const names = new Set(imports.map(([, name]) => name!));
  const clients = [...names].filter((name) => packages[name]?.includes('/test/clients/'));
  return clients.filter((name) => !isInstalled(name));
}

/** The globals and bindings of the runtimes that the programs are for. */
const globals = `
declare namespace Cloudflare {
  interface Env {
    OPENAI_API_KEY: string;
    METRICS_TOKEN: string;
    METRICS: DurableObjectNamespace;
    BUDGETS: DurableObjectNamespace;
    AUDIT: DurableObjectNamespace;
    TRACES: DurableObjectNamespace;
  }
}
declare const Deno: {
  serve(handler: (request: Request) => Response | Promise<Response>): void;
  env: { get(name: string): string | undefined };
  openKv(): Promise<object>;
};
declare const Bun: { serve(options: { port: number; fetch(request: Request): Response | Promise<Response> }): void };
declare const process: {
  env: Record<string, string | undefined>;
  on(signal: 'SIGTERM', listener: () => void): void;
};
declare module 'node:sqlite' {
  export class DatabaseSync {
    constructor(path: string);
    exec(sql: string): void;
    prepare(sql: string): { run(...values: unknown[]): unknown; all(...values: unknown[]): unknown[] };
  }
}
`;

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

/** What TypeScript says of all programs that can be checked here, found once. */
let found: Promise<string> | undefined;

function check(): Promise<string> {
  const config = JSON.stringify({ compilerOptions, include: ['*.ts'] });
  const programs = pages.filter(({ missing }) => missing.length === 0).map((page) => page.programs);
  return typeCheck(
    createConsumer({ 'tsconfig.json': config, 'globals.d.ts': globals, ...Object.assign({}, ...programs) }),
  );
}

/** Errors of this page's programs, and those that are of no page. */
async function errorsOf({ programs }: Page): Promise<string[]> {
  found ??= check();
  const others = pages.flatMap((page) => Object.keys(page.programs)).filter((name) => !(name in programs));
  const errors = (await found).split(/\n(?! )/).filter(Boolean);
  return errors.filter((error) => !others.some((name) => error.startsWith(`${name}(`)));
}

describe('the README and the pages of docs/', () => {
  beforeAll(() => ensureBuilt());

  it('have programs', () => {
    expect(withPrograms.length).toBeGreaterThan(5);
  });

  it.each(withPrograms.filter(({ missing }) => missing.length === 0))(
    '$path has programs that type-check',
    async (page) => {
      expect(await errorsOf(page)).toEqual([]);
    },
  );

  it.skip.each(withPrograms.filter(({ missing }) => missing.length > 0))(
    `$path has programs that type-check ($missing are missing: ${remedy})`,
    () => {},
  );
});

describe('the README', () => {
  it('has the two commands on its first screen', () => {
    const first = readme.split('\n').slice(0, 25).join('\n');
    expect(first).toContain('npm ci && npm run demo');
    expect(first).toContain('npm ci && npm test');
  });
});
