import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, remedy } from '../clients/installed.ts';
import { ensureBuilt, root } from '../support/build.ts';
import { createConsumer, hasShared, shared, typeCheck } from './consumer.ts';

const installed = isInstalled('openai') && isInstalled('@google/genai');
/** Those that need nothing of parts to come. */
const originals = [
  'a-worker-hono.ts',
  'b-deno-anthropic.ts',
  'c-bun-gemini.ts',
  'd-node-ai-sdk.ts',
  'e-test.ts',
  'f-migrate.ts',
  'g-queue-cron-do.ts',
  'h-custom.ts',
];

function check(files: Readonly<Record<string, string>>): Promise<string> {
  return typeCheck(createConsumer(files));
}

const subpaths = [
  '',
  '/core',
  '/node',
  '/deno',
  '/bun',
  '/hono',
  '/protobuf',
  '/b3',
  '/bedrock',
  '/ai-sdk',
  '/langchain',
  '/openai-agents',
  '/mcp',
  '/judges',
  '/redis',
  '/audit',
  '/collector',
  '/redact',
  '/testing',
];

/** As a user sets it who looks at everything, the declarations of packages included. */
const strictest = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  skipLibCheck: false,
  noEmit: true,
  types: [],
};

function project(compilerOptions: object, ...programs: string[]): Record<string, string> {
  const files = programs.map((text, i) => [`program${i}.ts`, text]);
  return { 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }), ...Object.fromEntries(files) };
}

const domProgram = `
import { computeCost, createTelemetry, type ReadableSpan, type Telemetry } from 'edgespan';
import { createMetricsServer, createTelemetry as createForNode, runtime } from 'edgespan/node';
import { createTelemetry as createCore, openai, openaiPrices } from 'edgespan/core';
import type { SpanExporter as Theirs, ReadableSpan as TheirSpan } from '@opentelemetry/sdk-trace';

const telemetry: Telemetry = createTelemetry({ serviceName: 'a' });
const node: Telemetry = createForNode(() => ({ serviceName: 'b' }));
const core: Telemetry = createCore({ runtime, providers: [openai], prices: openaiPrices });
export const response: Promise<Response> = telemetry.fetch(new URL('https://a.example'), { method: 'POST' });
export const usd: number | undefined = computeCost('gpt-4o', { input: 1, output: 1 })?.totalUsd;
export const server = createMetricsServer([node, core]);
export const type: string = telemetry.span('a', (span) => span.spanContext().traceId);

/** Our spans are OpenTelemetry's, theirs are ours, and their exporters fit. */
declare const theirs: TheirSpan;
declare const exporter: Theirs;
export const ours: ReadableSpan = theirs;
export const back: TheirSpan | undefined = telemetry.spans[0];
createTelemetry({ exporters: [exporter] });

// @ts-expect-error an option that does not exist
createTelemetry({ servicename: 'a' });
// @ts-expect-error a node adapter takes no env
createForNode((env: { X: string }) => ({ serviceName: env.X }));
`;

describe('the built package, type-checked', () => {
  beforeAll(() => ensureBuilt());

  it.skipIf(!installed)(`runs the programs of test/types/programs (${remedy})`, async () => {
    expect(await typeCheck(join(root, 'test', 'types', 'programs'))).toBe('');
  });

  it.skipIf(!installed || !hasShared)('takes the programs of ../shared/api unchanged', async () => {
    const names = [...originals, 'env.d.ts', 'tsconfig.json'];
    const files = names.map((name) => [name, readFileSync(join(shared, name), 'utf8')]);
    expect(await check(Object.fromEntries(files))).toBe('');
  });

  it('has no error of its own for a user with the DOM and nodenext who checks all declarations', async () => {
    const options = { target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], module: 'nodenext', ...strictest };
    const imports = subpaths.map((path, i) => `export * as m${i} from 'edgespan${path}';`);
    expect(await check(project(options, domProgram, imports.join('\n')))).toBe('');
  });

  it('has none for a user of Node’s types, who has no DOM', async () => {
    const program = `
      import { createAuditLog } from 'edgespan/audit';
      import { createTelemetry } from 'edgespan/node';
      const telemetry = createTelemetry({ otlp: { fetch: globalThis.fetch }, fetch: globalThis.fetch });
      const keys = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
      if (!('privateKey' in keys)) throw new Error('no pair');
      const audit = createAuditLog({ signingKey: keys.privateKey });
      await audit.verify(keys.publicKey);
      // @ts-expect-error no key
      await audit.verify('key');
      // @ts-expect-error no address
      await telemetry.fetch(5);
    `;
    const options = { target: 'es2022', lib: ['es2023'], ...strictest, types: ['node'] };
    const imports = subpaths.map((path, i) => `export * as m${i} from 'edgespan${path}';`).join('\n');
    for (const module of ['node16', 'nodenext'])
      expect(await check(project({ ...options, module }, program, imports))).toBe('');
  });

  it('has none for a Worker', async () => {
    const options = {
      target: 'es2022',
      lib: ['es2022'],
      module: 'esnext',
      moduleResolution: 'bundler',
      ...strictest,
      types: ['@cloudflare/workers-types'],
    };
    const program = `
      import { createTelemetry, instrument } from 'edgespan/workers';
      interface Env { NAME: string }
      const telemetry = createTelemetry<Env>((env) => ({ serviceName: env.NAME }));
      export default instrument({
        async fetch(request, env, ctx) { ctx.waitUntil(telemetry.flush()); return new Response(request.url + env.NAME) },
      } satisfies ExportedHandler<Env>, telemetry);
    `;
    expect(await check(project(options, program))).toBe('');
  });

  it('checks what it says it checks: every declared subpath is there', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
    const declared = Object.keys(exports).filter((path) => !path.endsWith('.json'));
    expect(declared.map((path) => path.slice(1)).toSorted()).toEqual([...subpaths, '/workers'].toSorted());
    expect(readdirSync(join(root, 'dist')).filter((name) => /^index\.(d\.ts|js)$/.test(name))).toHaveLength(2);
  });
});
