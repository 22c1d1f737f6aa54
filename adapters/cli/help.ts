import type { Command, Flags } from './command.ts';
import { commonFlags } from './parse-flags.ts';
import type { Terminal } from './terminal.ts';

const width = 34;

export function renderHelp({ name, summary, usage, flags, notes = [] }: Command, { style }: Terminal): string {
  return [
    summary,
    '',
    `${style('bold', 'Usage:')} edgespan ${[name, usage].filter(Boolean).join(' ')}`,
    '',
    style('bold', 'Flags:'),
    ...renderFlags({ ...flags, ...commonFlags }),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ].join('\n');
}

export function renderOverview(commands: readonly Command[], { style }: Terminal): string {
  return [
    'Sees, prices and collects what LLM calls do.',
    '',
    `${style('bold', 'Usage:')} edgespan <command> [flags]`,
    '',
    style('bold', 'Commands:'),
    ...commands.map(({ name, summary }) => `  ${name.padEnd(16)}${summary}`),
    '',
    'edgespan <command> --help says more. Exit codes: 0 done, 1 failed, 2 wrong use.',
  ].join('\n');
}

function renderFlags(flags: Flags): string[] {
  return Object.entries(flags).map(([name, { help, value }]) => {
    const left = `  --${name}${value ? ` ${value}` : ''}`;
    return left.length < width ? `${left.padEnd(width)}${help}` : `${left}\n${' '.repeat(width)}${help}`;
  });
}
