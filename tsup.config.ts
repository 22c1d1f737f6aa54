import { defineConfig, type Options } from 'tsup';
import { dashboardPlugin } from './scripts/dashboard.ts';
import { mergeChunks } from './scripts/merge-chunks.ts';

export const entry = {
  index: 'src/index.ts',
  core: 'src/core.ts',
  protobuf: 'src/otlp/protobuf.ts',
  b3: 'src/propagation/b3.ts',
  redact: 'src/redact/patterns.ts',
  testing: 'src/testing.ts',
  node: 'adapters/node/index.ts',
  deno: 'adapters/deno/index.ts',
  bun: 'adapters/bun/index.ts',
  hono: 'adapters/hono/index.ts',
  audit: 'src/audit/index.ts',
  collector: 'src/collector/index.ts',
  redis: 'adapters/redis/index.ts',
  bedrock: 'adapters/bedrock/index.ts',
  'ai-sdk': 'adapters/ai-sdk/index.ts',
  langchain: 'adapters/langchain/index.ts',
  'openai-agents': 'adapters/openai-agents/index.ts',
  mcp: 'adapters/mcp/index.ts',
  judges: 'src/judges/index.ts',
};
/** Written against Cloudflare's types, which do not stand beside the DOM's. */
export const workersEntry = { workers: 'adapters/workers/index.ts' };

/** Of the API we take types alone; the serializer takes a little more, which is ours here. */
const withoutApi: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'without-api',
  setup(build) {
    const path = new URL('./src/otlp/protobuf-api.ts', import.meta.url).pathname;
    build.onResolve({ filter: /^@opentelemetry\/api$/ }, ({ importer }) =>
      /\/otlp-transformer\/dist\/(common|metrics)\/protobuf\//.test(importer) ? { path } : { external: true },
    );
  },
};

const library: Options = {
  entry: { ...entry, ...workersEntry },
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  removeNodeProtocol: false,
  clean: ['dist/*.js'],
  external: [/^node:/, /^cloudflare:/],
  // A part of ours, so that no user meets its version.
  noExternal: ['@opentelemetry/otlp-transformer', '@opentelemetry/api'],
  esbuildPlugins: [withoutApi, dashboardPlugin],
  plugins: [mergeChunks('index')],
  esbuildOptions(options) {
    options.conditions = ['browser', 'import', 'default'];
    options.legalComments = 'none';
  },
};

/** One file with Hono, its server and the YAML reader in it, so that `npx edgespan` needs nothing else. */
const cli: Options = {
  ...library,
  entry: { cli: 'adapters/cli/main.ts' },
  target: 'node22',
  minify: true,
  plugins: [],
  splitting: false,
  clean: false,
  noExternal: [/^(?!node:)/],
};

export default defineConfig([library, cli]);
