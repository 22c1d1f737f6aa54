import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

async function bundle(...files: string[]) {
  const { outputFiles } = await build({
    stdin: {
      contents: files.map((file) => `export * from './${file}';`).join('\n'),
      resolveDir: fileURLToPath(new URL('../../src/propagation/', import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    external: ['@opentelemetry/api'],
    write: false,
  });
  return outputFiles[0]!.text;
}

it('has no B3 where nobody imports it', async () => {
  expect(await bundle('w3c.ts', 'composite.ts', 'carrier.ts', '../trace/sampling-hint.ts')).not.toMatch(/b3/);
  expect(await bundle('b3.ts')).toMatch(/x-b3-traceid/);
  expect(await bundle('b3.ts')).not.toMatch(/traceparent/);
});
