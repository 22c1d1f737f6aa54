import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { rollup } from 'rollup';
import type { Options } from 'tsup';

/**
 * Puts the chunks that `entry` loads into one: the bundler makes one of each set of entries that share some code, and a
 * runtime that reads three dozen files takes twice as long to import them as it takes for one. What is not used still
 * falls out of a bundle, since nothing in the chunk does anything by itself.
 */
export function mergeChunks(entry: string): NonNullable<Options['plugins']>[number] {
  return {
    name: 'merge-chunks',
    async buildEnd({ writtenFiles }) {
      const files = writtenFiles.map(({ name }) => resolve(name));
      const [chunks, entries] = [files.filter(isChunk), files.filter((file) => !isChunk(file))];
      const bundle = await rollup({ input: entries, external: (id) => /^(?![./])/.test(id), treeshake: false });
      const loaded = new Set<string>();
      await bundle.write({
        dir: dirname(entries[0]!),
        format: 'esm',
        chunkFileNames: 'chunk-[hash].js',
        manualChunks(id, { getModuleInfo }) {
          if (loaded.size === 0) collect(entries.find((file) => file.endsWith(`/${entry}.js`))!, loaded, getModuleInfo);
          return loaded.has(id) && isChunk(id) ? entry : undefined;
        },
      });
      for (const file of chunks) rmSync(file);
    },
  };
}

type GetImports = (id: string) => { readonly importedIds: readonly string[] } | null;

function collect(id: string, found: Set<string>, read: GetImports): void {
  if (found.has(id)) return;
  found.add(id);
  for (const each of read(id)?.importedIds ?? []) collect(each, found, read);
}

function isChunk(file: string): boolean {
  return /\/chunk-[^/]*$/.test(file);
}
