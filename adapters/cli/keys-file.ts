import { asObject } from '../../src/json.ts';
import { UsageError } from './command.ts';
import { parseYaml, readText } from './config-file.ts';
import { splitList, tenants } from './setting.ts';

/** Tenants by key, from lines of `key=tenant` or from a map in JSON or YAML. What is wrong is said without quoting it. */
export function readKeysFile(path: string): Readonly<Record<string, string>> {
  const text = readText(path, 'the file of keys');
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const isLines = lines.every((line) => /^[^\s:{]*=[\w.:-]+\s*$/.test(line.trim()));
  const keys = isLines ? tenants.fromText(splitList(lines.join('\n')).join(',')) : asObject(parseYaml(text, path));
  if (!keys || !tenants.test(keys))
    throw new UsageError(`${path} must have lines of key=tenant, or a map of tenants by key`);
  return keys as Readonly<Record<string, string>>;
}

/** A secret that is a file's whole text. */
export function readSecretFile(path: string): string {
  const text = readText(path, 'the file of the key').trim();
  if (text === '') throw new UsageError(`${path} is empty`);
  return text;
}
