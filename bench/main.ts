import { execFileSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import process from 'node:process';
import { parseArgs, styleText } from 'node:util';
import type { CollectorResult } from './collector.ts';
import type { Result } from './compare.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string' }, minutes: { type: 'string' } },
});
const root = new URL('../', import.meta.url).pathname;

/** Peers are a package of their own, since they are no business of whoever works on the library. */
function installPeers(): void {
  if (existsSync(`${root}bench/node_modules`)) return;
  execFileSync('npm', ['ci', '--prefix', `${root}bench`, '--silent'], { stdio: ['ignore', 2, 2] });
}

function build(): void {
  const newest = Math.max(...globSync(`${root}src/**/*.ts`).map((file) => statSync(file).mtimeMs));
  const built = `${root}dist/core.js`;
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  execFileSync('npm', ['run', '--silent', 'build:js', '--', '--silent'], { cwd: root, stdio: ['ignore', 2, 2] });
}

async function measureAll(report: (result: Result) => void): Promise<Result[]> {
  const { check, compare } = await import('./compare.ts');
  const { createSpanLine } = await import('./lines/spans.ts');
  const { createMetricLines } = await import('./lines/metrics.ts');
  const { createPrometheusLines } = await import('./lines/prometheus.ts');
  const { createOtlpLine } = await import('./lines/otlp.ts');
  const { createStreamLines } = await import('./lines/streams.ts');
  const { createLimits } = await import('./lines/limits.ts');
  const lines = [
    createSpanLine(),
    ...createMetricLines(),
    ...(await createPrometheusLines()),
    createOtlpLine(),
    ...createStreamLines(),
  ];
  const isAsked = ({ name }: { name: string }) => name.includes(values.only ?? '');
  const results: Result[] = [];
  const add = (result: Result) => {
    results.push(result);
    report(result);
  };
  for (const line of lines.filter(isAsked)) add(await compare(line));
  for (const limit of createLimits().filter(isAsked)) add(await check(limit));
  return results;
}

function renderFigure(value: number, unit: string): string {
  if (unit === 'ns' && value >= 1e6) return `${(value / 1e6).toPrecision(3)} ms`;
  if (unit === 'ns' && value >= 1e3) return `${(value / 1e3).toPrecision(3)} µs`;
  return `${value.toPrecision(3)} ${unit}`;
}

function renderResult({ name, ours, peer, peerName, unit, ratio, goal, spread }: Result): string {
  const met = ratio <= goal;
  const against = peerName === 'limit' ? `limit ${peer} ${unit}` : `${peerName}, ${renderFigure(peer, unit)}`;
  const columns = [
    met ? styleText('green', '✓') : styleText('red', '✗'),
    name.padEnd(49),
    renderFigure(ours, unit).padStart(10),
    ` ${against}`.padEnd(40),
    `${ratio.toFixed(3)}×`.padStart(8),
    `≤ ${goal}×`.padStart(8),
    `±${(spread * 50).toFixed(0)} %`.padStart(7),
  ];
  return columns.join(' ');
}

if (!globalThis.gc) throw new Error('run it by `npm run bench`: it needs node --expose-gc');
build();
if (values.only === 'stores') {
  // What they cost depends on what runs them: figures of their own kind, without peers and goals.
  const { measureStores, renderStore, storeHeader } = await import('./stores.ts');
  if (!values.json) console.log(storeHeader);
  const results = await measureStores((result) => values.json || console.log(renderStore(result)));
  if (values.json) console.log(JSON.stringify(results, null, 2));
  process.exit(0);
}
if (values.only?.startsWith('collector')) {
  const { collectorHeader, measureCollector, renderCollector } = await import('./collector.ts');
  if (!values.json) console.log(collectorHeader);
  const seconds = values.minutes === undefined ? 10 : Number(values.minutes) * 60;
  // `collector sqlite json` is one of the four.
  const asked = values.only.split(' ').slice(1);
  const report = (result: CollectorResult) => values.json || console.log(renderCollector(result));
  const results = await measureCollector({ seconds, asked }, report);
  if (values.json) console.log(JSON.stringify(results, null, 2));
  process.exit(0);
}
installPeers();
if (values.json) {
  console.log(JSON.stringify(await measureAll(() => {}), null, 2));
} else {
  console.log('ours, the peer in turns with it, ratio, goal, half the distance between the quartiles of the rounds\n');
  const results = await measureAll((result) => console.log(renderResult(result)));
  const missed = results.filter(({ ratio, goal }) => ratio > goal).length;
  console.log(`\n${results.length - missed} of ${results.length} goals met`);
}
process.exit(0);
