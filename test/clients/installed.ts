import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';

const folder = new URL('node_modules/', import.meta.url);

/** Whether the vendors' SDKs are there. On CI they must be, so that nothing is skipped unnoticed. */
export function isInstalled(name: string): boolean {
  return Boolean(process.env.CI) || existsSync(new URL(`${name}/package.json`, folder));
}

/** A package’s version, for the names of tests; `''` where it is not installed. */
export function versionOf(name: string): string {
  if (!isInstalled(name)) return '';
  return JSON.parse(readFileSync(new URL(`${name}/package.json`, folder), 'utf8')).version;
}

/** For the names of tests that are skipped. */
export const remedy = 'run npm ci --prefix test/clients';
