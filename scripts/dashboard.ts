import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const page = fileURLToPath(new URL('../src/collector/dashboard/page/', import.meta.url));
const uplot = fileURLToPath(new URL('../node_modules/uplot/LICENSE', import.meta.url));
const request = /\/page\/index\.html\?bundle$/;

/** The dashboard as a module of strings, so that a collector serves it without a file system. */
async function bundleDashboard(): Promise<string> {
  const license = await readFile(uplot, 'utf8');
  const { outputFiles } = await build({
    entryPoints: [`${page}main.ts`, `${page}style.css`],
    outdir: page,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    banner: { js: `/*! uPlot:\n${license.trim()}\n*/` },
  });
  const textOf = (name: string) => outputFiles.find(({ path }) => basename(path) === name)!.text;
  const html = (await readFile(`${page}index.html`, 'utf8')).replace(/\n\s*/g, '\n');
  const files = { html, script: textOf('main.js'), style: textOf('style.css') };
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  return Object.entries({ ...files, version })
    .map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};`)
    .join('\n');
}

/** `import { html } from './page/index.html?bundle'` for esbuild. */
export const dashboardPlugin: Plugin = {
  name: 'dashboard',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: request }, () => ({ path: 'page', namespace: 'dashboard' }));
    onLoad({ filter: /./, namespace: 'dashboard' }, async () => ({ contents: await bundleDashboard() }));
  },
};

/** The same for Vitest. */
export const dashboardTestPlugin = {
  name: 'dashboard',
  enforce: 'pre' as const,
  resolveId: (id: string) => (request.test(id) ? '\0dashboard' : undefined),
  load: (id: string) => (id === '\0dashboard' ? bundleDashboard() : undefined),
};
