import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/build.ts';
import { bundleFile } from '../support/bundle.ts';
import { type Child, startChild } from '../support/child.ts';
import { calling, checking, collecting, counting, guarded, limited, reserving } from './deno-kv-programs.ts';

const deno = join(root, 'node_modules', '.bin', 'deno');
const missing = !process.env.CI && spawnSync(deno, ['--version']).status !== 0;

const processes = 8;

describe.skipIf(missing)('eight Deno processes with one KV file (skipped without deno)', () => {
  let folder: string;
  const started: Child[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgespan-kv-'));
  });
  afterAll(() => {
    // Where a test has failed, some of them still wait for each other.
    for (const { process } of started) process.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function startAll(name: string, program: string, count = processes) {
    const file = await bundleFile(`deno-kv-${name}`, program);
    const path = join(folder, name.split('-')[0]!);
    const children = Array.from({ length: count }, (_, me) => startChild('deno', file, { KV_PATH: path, ME: `${me}` }));
    started.push(...children);
    return {
      children,
      /** Lets them go on once all have come there. */
      async pass(barrier: string): Promise<void> {
        await Promise.all(children.map((child) => child.line(barrier)));
        writeFileSync(path + barrier, '');
      },
    };
  }

  async function read<T>(child: Child, field: string): Promise<T> {
    return JSON.parse(await child.line(`{"${field}"`)) as T;
  }

  async function expectEnded(children: readonly Child[]): Promise<void> {
    for (const { ended } of children) expect(await ended).toEqual({ code: 0, signal: null, stderr: '' });
  }

  it('count 20,000 calls to the unit and the nano-dollar, a third of the batches sent twice', async () => {
    const fleet = await startAll('metrics-count', counting);
    await fleet.pass('ready');
    await expectEnded(fleet.children);
    const { children } = await startAll('metrics-collect', collecting, 1);
    const batches = Array.from({ length: processes * 25 }, (_, index) => index);
    expect(await read(children[0]!, 'series')).toEqual({
      series: [5, 5, 5],
      calls: 20_000,
      cost: batches.reduce((sum, index) => sum + 100 * index + 1, 0),
      count: 20_000,
      micros: 200 * 1_000_001,
      low: batches.reduce((sum, index) => sum + (index % 25), 0),
    });
  });

  it('show the calls of all on the page of each', async () => {
    const fleet = await startAll('telemetry', calling);
    await fleet.pass('ready');
    await fleet.pass('flushed');
    const pages = await Promise.all(fleet.children.map((child) => read<{ page: number[] }>(child, 'page')));
    expect(pages).toEqual(pages.map(() => ({ page: [800, 32, 800] })));
    await expectEnded(fleet.children);
  });

  it('guard 500 calls at a time by one budget of a hundred', async () => {
    const fleet = await startAll('guard', guarded);
    await fleet.pass('ready');
    const decided = await Promise.all(
      fleet.children.map((child) => read<{ inside: number; refused: number }>(child, 'inside')),
    );
    expect(decided.reduce((sum, { inside }) => sum + inside, 0)).toBe(100);
    expect(decided.reduce((sum, { refused }) => sum + refused, 0)).toBe(400);
    await fleet.pass('decided');
    await fleet.pass('settled');
    for (const child of fleet.children) expect(await read(child, 'spent')).toEqual({ spent: 1, reserved: 0 });
    await expectEnded(fleet.children);
  });

  it('let 100 of 500 callers pass, spend what they settle, and get back what killed ones had reserved', async () => {
    const fleet = await startAll('budget-reserve', reserving);
    await fleet.pass('ready');
    const passed = await Promise.all(
      fleet.children.map(async (child) => (await read<{ passed: number }>(child, 'passed')).passed),
    );
    expect(passed.reduce((a, b) => a + b)).toBe(100);
    await Promise.all(fleet.children.map((child) => child.line('reserved')));
    const most = passed.indexOf(Math.max(...passed));
    const killed = fleet.children[most]!;
    killed.process.kill('SIGKILL');
    await killed.ended;
    await fleet.pass('reserved');
    const others = fleet.children.filter((child) => child !== killed);
    const parts = await Promise.all(others.map((child) => read<{ spent: number }>(child, 'spent')));
    await expectEnded(others);
    const spent = parts.reduce((sum, part) => sum + part.spent, 0);

    const { children } = await startAll('budget-check', checking, 1);
    const lost = passed[most]!;
    expect(lost).toBeGreaterThan(0);
    const checked = await read<{ before: { spent: { nanoUsd: number } } }>(children[0]!, 'before');
    expect(checked).toMatchObject({
      before: { spent: { nanoUsd: spent }, reserved: { nanoUsd: lost * limited.price, tokens: lost * 10 } },
      after: { spent: { nanoUsd: spent }, reserved: { nanoUsd: 0, tokens: 0 } },
      passed: Math.floor((limited.nanoUsd - spent) / limited.price),
    });
  });
});
