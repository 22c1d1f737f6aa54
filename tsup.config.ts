import { defineConfig } from 'tsup';

export const entry = {
  index: 'src/index.ts',
  core: 'src/core.ts',
  protobuf: 'src/otlp/protobuf.ts',
  b3: 'src/propagation/b3.ts',
  testing: 'src/testing.ts',
  node: 'adapters/node/index.ts',
  deno: 'adapters/deno/index.ts',
  bun: 'adapters/bun/index.ts',
  hono: 'adapters/hono/index.ts',
};
/** Written against Cloudflare's types, which do not stand beside the DOM's. */
export const workersEntry = { workers: 'adapters/workers/index.ts' };

export default defineConfig({
  entry: { ...entry, ...workersEntry },
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  removeNodeProtocol: false,
  clean: ['dist/*.js'],
  external: [/^node:/, /^cloudflare:/],
  // A part of ours, so that no user meets its version.
  noExternal: ['@opentelemetry/otlp-transformer'],
  esbuildOptions(options) {
    options.conditions = ['browser', 'import', 'default'];
    options.legalComments = 'none';
  },
});
