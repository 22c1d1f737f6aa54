import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const docs = readdirSync('docs').map((name) => join('docs', name));
const examples = readdirSync('examples').map((name) => join('examples', name, 'README.md'));
const pages = ['README.md', 'CONTRIBUTING.md', ...docs, ...examples.filter((path) => existsSync(path))];
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, unknown> };

const read = (path: string) => readFileSync(path, 'utf8');
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '');

/** Targets of links in the text that are neither addresses nor code. */
function linksOf(path: string): string[] {
  const text = withoutCode(read(path)).replace(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Names of the headings of a page, as GitHub and npm make them. */
function anchorsOf(path: string): string[] {
  const headings = [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function leadsNowhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
}

describe('the documentation', () => {
  it.each(pages)('%s links to what is there', (page) => {
    expect(linksOf(page).filter((target) => leadsNowhere(page, target))).toEqual([]);
  });

  it.each(pages)('%s names subpaths that the package has', (page) => {
    const named = [...read(page).matchAll(/(?<![\w./-])edgespan\/([a-z][\w-]*)/g)].map(([, name]) => `./${name}`);
    expect(named.filter((name) => !(name in exports))).toEqual([]);
  });

  it.each(pages)('%s hands no request on as a stream, which nothing is read of', (page) => {
    expect(read(page).match(/\bbody: [\w.]+\.body\b|\{[^}\n]*\bbody\b[^}\n]*\} = request;/)).toBeNull();
  });

  it('has all of its pages and subpaths named in the README', () => {
    const readme = read('README.md');
    const links = linksOf('README.md').map((target) => target.split('#')[0]);
    expect(docs.filter((path) => !links.includes(path))).toEqual([]);
    const subpaths = Object.keys(exports).filter((name) => /^\.\/[\w-]+$/.test(name));
    expect(subpaths.filter((name) => !readme.includes(`edgespan/${name.slice(2)}`))).toEqual([]);
  });

  it.each(pages)('%s has tables whose rows have a cell for each column', (page) => {
    const rows = withoutCode(read(page)).split('\n');
    const cells = (row: string) =>
      row
        .replace(/\\\|/g, '')
        .replace(/`[^`]*`/g, '')
        .split('|').length;
    const uneven = rows.filter(
      (row, i) => row.startsWith('|') && rows[i - 1]?.startsWith('|') && cells(row) !== cells(rows[i - 1]!),
    );
    expect(uneven).toEqual([]);
  });
});
