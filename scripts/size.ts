import { execFileSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { styleText } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/**
 * What a Worker pays for this library: bundles of the built package, minified and compressed. Exits with 1 where one is above its limit, or has code of a part that it does not name.
 */
const root = new URL('../', import.meta.url).pathname;

const use = `
const response = await telemetry.fetch('https://api.openai.com/v1/responses', { method: 'POST', body: '{}' });
telemetry.metrics.counter('answers_total', { labels: ['status'] }).inc({ status: String(response.status) });
await telemetry.flush();
export const page = await telemetry.prometheus();
`;

function core(names: readonly string[], features: readonly string[] = []): string {
  const prices = names.map((name) => `${name}Prices`);
  return `import { createTelemetry, ${[...names, ...prices, ...features]} } from './dist/core.js';
const telemetry = createTelemetry({ providers: [${names}], prices: [${prices}], features: [${features}] });${use}`;
}

const index = `import { createTelemetry } from './dist/index.js';\nconst telemetry = createTelemetry();${use}`;

/** Whose prices there are; models have the same names at several of them, so a table is told by its owner. */
const vendors = globSync(`${root}src/pricing/table/*.ts`).map((file) => basename(file, '.ts'));
const pricesOf = (vendor: string) => `prices of ${vendor}`;
const priceBundle = (some: readonly string[]) =>
  some.map((vendor) => `export { ${vendor}Prices } from './src/pricing/table/${vendor}.ts';`).join('\n');

/** The parts of `edgespan/core` that enter by import, and what each alone says. */
const featureMarks = {
  budgets: ['budget_alerts_total', 'reservationTtlMs'],
  content: ['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'],
  evaluations: ['edgespan.feedback', 'sampleRate'],
  foreignSpans: ['llm.cost.total'],
  openTelemetry: ['registered by somebody else'],
  presets: ['spans_ingested_total'],
  redaction: ['edgespan_redaction_failures_total'],
  sessions: ['qualityWindow'],
  sharedMetrics: ['the metric store failed'],
  streamUsage: ['content-digest'],
  wrapping: ['wrap.args_count'],
};
const features = Object.keys(featureMarks);

/** Strings that nothing but this part has, and that no minifier changes. */
const marks: Readonly<Record<string, readonly string[]>> = {
  openai: ['prompt_tokens_details'],
  anthropic: ['content_block_delta', 'ephemeral_1h_input_tokens'],
  protobuf: ['application/x-protobuf'],
  b3: ['x-b3-traceid'],
  ...featureMarks,
  ...Object.fromEntries(vendors.map((vendor) => [pricesOf(vendor), [`("${vendor}",\`\n`]])),
};

const firstParts = ['openai', 'anthropic', pricesOf('openai'), pricesOf('anthropic')];

interface Bundle {
  readonly name: string;
  readonly entry: string;
  /** Bytes after gzip that it may have: what it has now, so that it only gets smaller. */
  readonly limit?: number;
  /** Bytes after gzip that it should have. */
  readonly goal?: number;
  /** Shown as what it has beyond the first one. */
  readonly isExtra?: boolean;
  /** Parts whose code is in it, of those that have marks. */
  readonly parts: readonly string[];
}

const bundles: readonly Bundle[] = [
  {
    name: 'edgespan/core, OpenAI and Anthropic',
    entry: core(['openai', 'anthropic']),
    limit: 69_900,
    goal: 20_000,
    parts: firstParts,
  },
  {
    name: 'edgespan, all providers and prices',
    entry: index,
    limit: 138_400,
    goal: 30_000,
    parts: ['openai', 'anthropic', ...vendors.map(pricesOf), ...features],
  },
  { name: 'edgespan/core, OpenAI alone', entry: core(['openai']), parts: ['openai', pricesOf('openai')] },
  {
    name: 'edgespan/core, Anthropic alone',
    entry: core(['anthropic']),
    parts: ['anthropic', pricesOf('anthropic')],
  },
  { name: 'edgespan/core, no provider', entry: core([]), parts: [] },
  ...features.map((feature) => ({
    name: `  the first with ${feature}`,
    entry: core(['openai', 'anthropic'], [feature]),
    isExtra: true,
    // What is judged is what was said.
    parts: [...firstParts, feature, ...(feature === 'evaluations' ? ['content'] : [])],
  })),
  {
    name: '  the first with all of them',
    entry: core(['openai', 'anthropic'], features),
    isExtra: true,
    parts: [...firstParts, ...features],
  },
  { name: 'edgespan/protobuf', entry: `export { protobuf } from './dist/protobuf.js';`, parts: ['protobuf'] },
  { name: 'edgespan/b3', entry: `export { b3 } from './dist/b3.js';`, parts: ['b3'] },
  { name: 'prices of all providers', entry: priceBundle(vendors), limit: 10_000, parts: vendors.map(pricesOf) },
  ...vendors.map((vendor) => ({ name: pricesOf(vendor), entry: priceBundle([vendor]), parts: [pricesOf(vendor)] })),
];

async function bundle(contents: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker'],
    external: ['node:*', 'cloudflare:*'],
    legalComments: 'none',
    logLevel: 'error',
  });
  return { code: outputFiles[0]!.contents, inputs: Object.values(metafile.outputs)[0]!.inputs };
}

/** Parts that are where they should not be, and parts whose marks no longer tell anything. */
function findBleeding(code: Uint8Array, parts: readonly string[]): string[] {
  const text = new TextDecoder().decode(code);
  return Object.entries(marks).flatMap(([part, strings]) =>
    strings
      .filter((string) => text.includes(string) !== parts.includes(part))
      .map((string) => `${parts.includes(part) ? 'lacks' : 'has'} ${part}'s "${string}"`),
  );
}

let firstSize = 0;

async function report({ name, entry, limit, goal, isExtra, parts }: Bundle): Promise<boolean> {
  const { code } = await bundle(entry);
  const size = gzipSync(code, { level: 9 }).length;
  firstSize ||= size;
  const problems = findBleeding(code, parts);
  if (limit !== undefined && size > limit) problems.push(`${size - limit} B above its limit`);
  const columns = [
    problems.length === 0 ? styleText('green', '✓') : styleText('red', '✗'),
    name.padEnd(40),
    `${code.length} B`.padStart(11),
    (isExtra ? `+${size - firstSize} B` : `${size} B`).padStart(10),
    (limit === undefined ? '' : `${limit} B`).padStart(10),
    (goal === undefined ? '' : `${goal} B`).padStart(10),
    (goal === undefined ? '' : `${(size / goal).toFixed(2)}×`).padStart(6),
    ` ${problems.join(', ')}`,
  ];
  console.log(columns.join(' ').trimEnd());
  return problems.length === 0;
}

/** The first bundle by folder, from the sources, since the built chunks have lost them. */
async function reportParts(): Promise<void> {
  const { code, inputs } = await bundle(bundles[0]!.entry.replace('./dist/core.js', './src/core.ts'));
  const sizes = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const part = path.includes('node_modules') ? '@opentelemetry/api' : path.replace(/\/[^/]*$/, '');
    sizes.set(part, (sizes.get(part) ?? 0) + bytesInOutput);
  }
  for (const [part, size] of [...sizes].sort(([, a], [, b]) => b - a)) {
    console.log(
      `  ${part.padEnd(40)} ${`${size} B`.padStart(11)} ${`${Math.round((100 * size) / code.length)} %`.padStart(10)}`,
    );
  }
}

function buildPackage(): void {
  const newest = Math.max(...globSync(`${root}{src,adapters}/**/*.ts`).map((file) => statSync(file).mtimeMs));
  const built = `${root}dist/core.js`;
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  execFileSync('npm', ['run', '--silent', 'build:js', '--', '--silent'], { cwd: root, stdio: ['ignore', 2, 2] });
}

buildPackage();
console.log(
  `  ${'bundle'.padEnd(40)} ${'minified'.padStart(11)} ${'gzip'.padStart(10)} ${'limit'.padStart(10)} ${'goal'.padStart(10)}`,
);
let passed = true;
for (const one of bundles) passed = (await report(one)) && passed;
console.log('\nThe first of them by part, minified');
await reportParts();
process.exitCode = passed ? 0 : 1;
