import { patterns } from '../../src/redact/patterns.ts';
import type { RedactRule } from '../../src/redact/redactor.ts';
import { suggest, UsageError } from './command.ts';

const names = Object.keys(patterns) as (keyof typeof patterns)[];

/** Patterns by name, all of them by `all`, and expressions between slashes. */
export function readRedactRules(given: readonly string[]): readonly RedactRule[] {
  return given.flatMap((item): readonly RedactRule[] => {
    if (item === 'all') return names.map((name) => patterns[name]);
    const name = names.find((known) => known === item);
    if (name) return [patterns[name]];
    const [, source, flags = ''] = /^\/(.+)\/([a-z]*)$/.exec(item) ?? [];
    if (source === undefined)
      throw new UsageError(`redact knows no ${item}: ${suggest(item, ['all', ...names, '/expression/'])}`);
    try {
      return [new RegExp(source, flags.includes('g') ? flags : `${flags}g`)];
    } catch {
      throw new UsageError(`redact: ${item} is no regular expression`);
    }
  });
}
