import { suggestName } from '../../src/checks.ts';
import type { Terminal } from './terminal.ts';

/** A flag as help shows it and `parseFlags` reads it. */
export interface Flag {
  readonly help: string;
  /** What stands for its value in help; a flag without one is a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly repeats?: boolean;
}

export type Flags = Readonly<Record<string, Flag>>;

/** Flags as they were given; of a switch `true`, or `false` by `--no-`. */
export interface GivenFlags {
  readonly values: Readonly<Record<string, string | boolean | readonly string[]>>;
  readonly positionals: readonly string[];
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Its arguments, after its name. */
  readonly usage: string;
  readonly flags: Flags;
  /** More that help says, line by line. */
  readonly notes?: readonly string[];
  /** Answers the exit code: 0, or 1 where what was asked about is not well. */
  run(given: GivenFlags, terminal: Terminal): Promise<number>;
}

/** A command that was written wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something that went wrong and was said in words that a person can use: exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** More names than so many are better read in the help. */
const maxListed = 15;

/** What may have been meant by a name that is not known. */
export function suggest(name: string, known: readonly string[]): string {
  const suggestion = suggestName(name, known);
  return suggestion.startsWith('did') || known.length <= maxListed ? suggestion : '--help has those that there are';
}
