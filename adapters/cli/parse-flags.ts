import { parseArgs } from 'node:util';
import { type Flag, type Flags, type GivenFlags, suggest, UsageError } from './command.ts';

/** What every command understands. */
export const commonFlags: Flags = {
  json: { help: 'print JSON for machines' },
  help: { help: 'print this help' },
};

/** Reads a command's arguments. Throws a `UsageError` that names the flag which is unknown, twice there or without value. */
export function parseFlags(args: readonly string[], own: Flags): GivenFlags {
  const flags: Flags = { ...own, ...commonFlags };
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  // Not strict, since what it says of a wrong flag is no help.
  const all = { ...options, help: { type: 'boolean', short: 'h' } } as const;
  const { tokens } = parseArgs({ args: [...args], options: all, strict: false, tokens: true, allowPositionals: true });
  const values: Record<string, string | boolean | string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const name = findName(token, flags);
    const value = readValue(name, flags[name]!, token);
    if (flags[name]!.repeats) values[name] = [...((values[name] as string[] | undefined) ?? []), value as string];
    else if (Object.hasOwn(values, name)) throw new UsageError(`--${name} is given twice`);
    else values[name] = value;
  }
  return { values, positionals };
}

function findName({ name: given, rawName }: { name: string; rawName: string }, flags: Flags): string {
  if (Object.hasOwn(flags, given)) return given;
  const positive = given.startsWith('no-') ? given.slice(3) : '';
  if (Object.hasOwn(flags, positive) && !flags[positive]!.value) return positive;
  const known = Object.keys(flags).map((name) => `--${name}`);
  throw new UsageError(`there is no flag ${rawName}: ${suggest(rawName, known)}`);
}

interface Given {
  readonly name: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readValue(name: string, flag: Flag, { name: given, value, inlineValue }: Given): string | boolean {
  if (!flag.value) {
    if (value === undefined) return given === name;
    throw new UsageError(`--${name} takes no value: write --${name} or --no-${name}`);
  }
  // `--store --port 1` has forgotten the store.
  if (value === undefined || (!inlineValue && value.startsWith('--'))) {
    throw new UsageError(`--${name} needs a value: --${name} ${flag.value}`);
  }
  return value;
}
