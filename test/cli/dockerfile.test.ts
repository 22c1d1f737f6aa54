import { execFile } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, root } from '../support/build.ts';
import { newPath, startCollector } from './run.ts';

const text = readFileSync('Dockerfile', 'utf8').replace(/\\\n\s*/g, '');
const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const argsOf = (word: string) =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

describe('the Dockerfile', () => {
  beforeAll(() => ensureBuilt({ types: false }));

  it('is built on the Node that the tests run on, by its full version', () => {
    const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      devDependencies: { node: string };
    };
    const image = `node:${devDependencies.node}-slim`;
    expect(argsOf('FROM')).toEqual([`${image} AS build`, image]);
  });

  const copied = argsOf('COPY')
    .filter((args) => !args.startsWith('--from'))
    .flatMap((args) => args.split(' ').slice(0, -1));

  it('copies what .dockerignore lets in', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    expect(copied.map((path) => `!${path}`).sort()).toEqual(allowed.sort());
  });

  it('builds from what it copies, and what it takes over then runs', async () => {
    const build = dirname(newPath('cli'));
    for (const path of copied) cpSync(path, join(build, path), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'));
    const [command, ...args] = argsOf('RUN')
      .find((line) => line.includes('tsup'))!
      .split(' ');
    expect(command).toBe('node');
    await promisify(execFile)(process.execPath, args, { cwd: build });
    const [from] = argsOf('COPY')
      .find((line) => line.startsWith('--from'))!
      .match(/dist\/\S+/)!;
    const { stdout } = await promisify(execFile)(process.execPath, [join(build, from), '--version']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('runs as a user without rights, on options that the collector knows', async () => {
    expect(argsOf('USER')).toEqual(['node']);
    expect(JSON.parse(argsOf('ENTRYPOINT')[0]!)).toEqual(['edgespan']);
    expect(JSON.parse(argsOf('CMD')[0]!)).toEqual(['collector']);
    const pairs = argsOf('ENV')[0]!
      .split(' ')
      .filter((pair) => pair.startsWith('EDGESPAN_'))
      .map((pair) => pair.split('='));
    const env = { ...Object.fromEntries(pairs), EDGESPAN_COLLECTOR_STORE: 'memory' } as Record<string, string>;
    const collector = await startCollector([], env);
    expect(collector.url).toContain('//0.0.0.0:');
    await collector.stop();
  });

  it('asks a collector how it is, which answers', async () => {
    const [command, ...args] = JSON.parse(argsOf('HEALTHCHECK')[0]!.replace(/^.*CMD /, '')) as [string, ...string[]];
    expect(command).toBe('node');
    const collector = await startCollector();
    const ask = (port: string) =>
      promisify(execFile)(process.execPath, args, { env: { EDGESPAN_COLLECTOR_PORT: port } }).then(
        () => 0,
        ({ code }) => code as number,
      );
    const { port } = new URL(collector.url);
    expect(await ask(port)).toBe(0);
    await collector.stop();
    expect(await ask(port)).toBe(1);
  });
});
