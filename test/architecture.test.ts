import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Rooms of `src/` and what each may import, lowest first. A room may import itself and what its line names. */
const rooms: Record<string, string> = {
  foundation: '',
  stream: 'foundation',
  trace: 'foundation stream',
  metrics: 'foundation',
  pricing: 'foundation',
  propagation: 'trace',
  prometheus: 'foundation metrics',
  otlp: 'foundation trace metrics propagation',
  llm: 'foundation trace metrics stream pricing',
  redact: 'foundation trace',
  budget: 'foundation trace metrics pricing llm',
  audit: 'foundation trace llm',
  judges: 'foundation llm',
  composition: 'foundation stream trace metrics redact pricing propagation prometheus otlp llm budget',
  http: 'foundation stream trace metrics propagation llm composition',
  server: 'foundation trace llm audit http composition',
  collector: 'foundation stream trace metrics redact prometheus otlp llm audit composition',
};

/** Files directly in `src/` that everything may use; the others compose. */
const foundation = [
  'attributes',
  'checks',
  'clock',
  'delivery',
  'diagnostics',
  'digest',
  'environment',
  'errors',
  'instrumentation-scope',
  'json',
  'paging',
  'runtime',
  'sqlite',
  'usage',
  'version',
];

const files = listFiles('src');
const adapterFiles = listFiles('adapters');

describe('the house', () => {
  it.each(files)('%s knows no runtime', (file) => {
    const code = withoutComments(read(file));
    expect(code).not.toMatch(/from ['"](node:|cloudflare:|bun:|jsr:|https?:)/);
    expect(code).not.toMatch(/(?<![.\w'"`])(Deno|Bun|process|Buffer|__dirname|require)\s*[.(]/);
  });

  it.each(files)('%s imports no package beyond its room', (file) => {
    const allowed = [
      '@opentelemetry/api',
      ...(file.includes('otlp/protobuf') ? ['@opentelemetry/otlp-transformer'] : []),
      ...(file.startsWith('src/collector/') ? ['hono', 'uplot'] : []),
    ];
    const packages = importsOf(file).filter((specifier) => !specifier.startsWith('.'));
    expect(packages.filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it.each([...files, ...adapterFiles])('%s has OpenTelemetry’s API for its types alone', (file) => {
    const [loaded] = withoutComments(read(file)).match(/import (?!type\b)[^;]*from '@opentelemetry\/api'/) ?? [];
    expect(loaded).toBeUndefined();
  });

  it.each(files)('%s imports nothing above it', (file) => {
    const room = roomOf(file);
    const above = importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => relative('.', join(dirname(file), specifier)))
      .filter((target) => roomOf(target) !== room && !rooms[room]!.split(' ').includes(roomOf(target)));
    expect(above).toEqual([]);
  });

  it('has no cycle', () => {
    expect(findCycle(new Map(files.map((file) => [file, runtimeImportsOf(file)])))).toBeUndefined();
  });

  it('exports no value that nobody imports', () => {
    const others = globSync('{test,scripts,bench,examples}/**/*.ts', { exclude: ['**/node_modules/**'] });
    const entries = read('tsup.config.ts').matchAll(/'(?:\.\/)?((?:src|adapters)\/[^']+\.ts)'/g);
    const used = new Set(Array.from(entries, ([, entry]) => `${entry} *`));
    for (const file of [...files, ...adapterFiles, ...others]) for (const name of namesTakenBy(file)) used.add(name);
    const unused = [...files, ...adapterFiles]
      .filter((file) => !used.has(`${file} *`))
      .flatMap((file) => Array.from(read(file).matchAll(exportPattern), ([, name]) => `${file} ${name}`))
      .filter((name) => !used.has(name));
    expect(unused).toEqual([]);
  });

  it.each(adapterFiles)('%s names no other adapter', (file) => {
    const own = file.split('/')[1];
    const others = importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => relative('.', join(dirname(file), specifier)))
      .filter((target) => target.startsWith('adapters/') && target.split('/')[1] !== own);
    expect(others).toEqual([]);
  });

  it.each([...files, ...adapterFiles].filter((file) => !file.includes('/table/')))(
    '%s has at most 260 lines',
    (file) => {
      expect(read(file).split('\n').length).toBeLessThanOrEqual(260);
    },
  );
});

function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(root, name))
    .sort();
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

const importPattern = /(?:import|export)\s+(type\s+)?[^'";]*?from\s+['"]([^'"]+)['"]|import\s+['"]([^'"]+)['"]/g;

function importsOf(file: string): string[] {
  return [...withoutComments(read(file)).matchAll(importPattern)].map((match) => match[2] ?? match[3]!);
}

/** Types vanish at run time; only what is left can be a cycle. */
function runtimeImportsOf(file: string): string[] {
  return [...withoutComments(read(file)).matchAll(importPattern)]
    .filter((match) => !match[1] && match[2]?.startsWith('.'))
    .map((match) => relative('.', join(dirname(file), match[2]!)));
}

const exportPattern = /^export (?:async )?(?:abstract )?(?:function\*?|const|let|class) (\w+)/gm;
const takenPattern = /(?:import|export)\s+(?:type\s+)?(?:\{([^}]*)\}|\*[^'"]*)\s*from\s+['"](\.[^'"]+)['"]/g;

/** What a file takes from others, as `file name`; `*` is all. */
function namesTakenBy(file: string): string[] {
  return [...withoutComments(read(file)).matchAll(takenPattern)].flatMap(([, list = '*', specifier]) => {
    const target = join(dirname(file), specifier!);
    return list.split(',').map((name) => `${target} ${name.trim().replace(/^type | as .*/g, '')}`);
  });
}

function roomOf(file: string): string {
  const [, room, rest] = file.split('/');
  if (rest !== undefined) return room === 'features' ? 'composition' : room!;
  return foundation.includes(room!.replace('.ts', '')) ? 'foundation' : 'composition';
}

function findCycle(graph: Map<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  function visit(file: string, path: string[]): string[] | undefined {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  }
  for (const file of graph.keys()) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}
