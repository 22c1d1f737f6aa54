import { readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { messageOf } from '../../src/errors.ts';
import { asObject } from '../../src/json.ts';
import { CommandError, suggest, UsageError } from './command.ts';

/** A bigger one is no configuration. */
const maxBytes = 1024 * 1024;

export function readText(path: string, what: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length <= maxBytes) return text;
  } catch (error) {
    throw new CommandError(`${what} ${path} can't be read: ${messageOf(error)}`);
  }
  throw new CommandError(`${what} ${path} has more than ${maxBytes} bytes`);
}

/** JSON is YAML too. */
export function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text, { prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    // Without the lines it quotes, which may hold a key.
    const at = error instanceof YAMLParseError ? ` at line ${text.slice(0, error.pos[0]).split('\n').length}` : '';
    throw new UsageError(`${path} is neither JSON nor YAML${at}: ${messageOf(error).split('\n')[0]}`);
  }
}

/** What a file says, by dotted path. Throws a `UsageError` for a name that is not known. */
export function readConfigFile(path: string, known: readonly string[]): Map<string, unknown> {
  const values = new Map<string, unknown>();

  function walk(group: Readonly<Record<string, unknown>>, prefix: string): void {
    for (const [name, value] of Object.entries(group)) {
      const at = prefix + name;
      if (known.includes(at)) values.set(at, value);
      else if (known.some((option) => option.startsWith(`${at}.`))) walk(toGroup(value, at), `${at}.`);
      else throw new UsageError(`${path}: there is no option ${at}: ${suggest(name, namesUnder(prefix))}`);
    }
  }

  function toGroup(value: unknown, at: string): Readonly<Record<string, unknown>> {
    const group = asObject(value ?? {});
    if (!group) throw new UsageError(`${path}: ${at || 'the file'} must have options by name`);
    return group;
  }

  function namesUnder(prefix: string): string[] {
    const under = known.filter((option) => option.startsWith(prefix));
    return [...new Set(under.map((option) => option.slice(prefix.length).split('.')[0]!))];
  }

  walk(toGroup(parseYaml(readText(path, 'the configuration'), path), ''), '');
  return values;
}
