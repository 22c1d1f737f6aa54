import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from './support/build.ts';

const run = promisify(execFile);
const bin = (name: string) => join('node_modules/.bin', name);

describe('the published package', () => {
  let folder: string;
  let tarball: string;
  let files: string[];

  beforeAll(async () => {
    await ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), 'edgespan-'));
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
    const [packed] = Object.values(JSON.parse(stdout)) as { filename: string; files: { path: string }[] }[];
    tarball = join(folder, packed!.filename);
    files = packed!.files.map(({ path }) => path);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('has dist, README, LICENSE and CHANGELOG only', () => {
    const outside = files.filter((path) => !path.startsWith('dist/'));
    expect(outside.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
  });

  it('has a file for every export', async () => {
    const { exports, bin } = JSON.parse(await readFile('package.json', 'utf8')) as {
      exports: Record<string, string | object>;
      bin: Record<string, string>;
    };
    const targets = Object.values({ ...exports, ...bin }).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    expect(targets.map((target: string) => target.slice(2)).filter((target) => !files.includes(target))).toEqual([]);
  });

  it('imports no package but, optionally, Hono; of OpenTelemetry’s API it has types alone', async () => {
    const manifest = JSON.parse(await readFile('package.json', 'utf8'));
    expect(manifest.dependencies).toBeUndefined();
    expect(Object.keys(manifest.peerDependencies)).toEqual(['@opentelemetry/api', 'hono']);
    const imported = new Set<string>();
    // The command line has all that it needs in it: test/cli/usage.test.ts.
    for (const file of files.filter((path) => path.endsWith('.js') && path !== 'dist/cli.js')) {
      for (const [, name] of (await readFile(file, 'utf8')).matchAll(/(?<![.\w])(?:from|import)\s*"([^."][^"]*)"/g))
        imported.add(name!);
    }
    const known = /^(hono(\/.*)?|node:(async_hooks|fs|http|net|process)|cloudflare:workers)$/;
    expect([...imported].filter((name) => !known.test(name))).toEqual([]);
  });

  it('passes publint', async () => {
    const { stdout } = await run(bin('publint'), ['run', tarball, '--strict']);
    expect(stdout).toContain('All good!');
  });

  it('passes are-the-types-wrong', async () => {
    // It exits with 1 where a resolution that the profile looks at fails.
    const { stdout } = await run(bin('attw'), [tarball, '--profile', 'esm-only', '--format', 'json']);
    const { analysis } = JSON.parse(stdout) as { analysis: { entrypoints: Record<string, unknown> } };
    const { exports } = JSON.parse(await readFile('package.json', 'utf8')) as { exports: object };
    expect(Object.keys(analysis.entrypoints)).toHaveLength(Object.keys(exports).length);
  });
});

describe('the example Worker', () => {
  it('can be deployed by wrangler', async () => {
    await ensureBuilt();
    const folder = await mkdtemp(join(tmpdir(), 'edgespan-'));
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' };
    const { stdout } = await run(bin('wrangler'), ['deploy', '--dry-run', '--outdir', folder], { env });
    expect(stdout).toContain('--dry-run: exiting now.');
    await rm(folder, { recursive: true });
  });
});
