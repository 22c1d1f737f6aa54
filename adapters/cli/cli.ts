import { messageOf } from '../../src/errors.ts';
import { version } from '../../src/version.ts';
import { auditVerify } from './audit-verify.ts';
import { check } from './check.ts';
import { collector } from './collector.ts';
import { type Command, CommandError, suggest, UsageError } from './command.ts';
import { renderHelp, renderOverview } from './help.ts';
import { parseFlags } from './parse-flags.ts';
import { prices } from './prices.ts';
import type { Terminal } from './terminal.ts';

const commands: readonly Command[] = [collector, check, prices, auditVerify];

const failed = 1;
const wrongUse = 2;

/** Runs what the arguments say, and answers the exit code. Never throws. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(args, terminal);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    if (args.includes('--json')) terminal.json({ ok: false, error: messageOf(error) });
    terminal.error(`${terminal.style('red', 'error:')} ${messageOf(error)}`);
    // Of what nobody has foreseen the place is worth more than the message.
    if (!isUsage && !(error instanceof CommandError) && error instanceof Error) terminal.error(error.stack ?? '');
    return isUsage ? wrongUse : failed;
  }
}

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = ''] = args;
  if (first === '--version') {
    terminal.out(version);
    return 0;
  }
  if (first === 'help') return run([...args.slice(1), '--help'], terminal);
  const command = commands.find(({ name }) => name.split(' ').every((word, i) => args[i] === word));
  if (!command) return runNone(args, terminal);
  const given = parseFlags(args.slice(command.name.split(' ').length), command.flags);
  if (given.values.help) {
    terminal.out(renderHelp(command, terminal));
    return 0;
  }
  return command.run(given, terminal);
}

/** Without a command: help where it was asked for, else what may have been meant. */
function runNone(args: readonly string[], terminal: Terminal): number {
  const words = args.filter((arg) => !arg.startsWith('-'));
  const isHelp = words.length < args.length && args.every((arg) => words.includes(arg) || /^(--help|-h)$/.test(arg));
  // The first word of `audit verify`.
  const begun = commands.find(({ name }) => name.startsWith(`${words[0]} `));
  if (isHelp && words.length === 1 && begun) {
    terminal.out(renderHelp(begun, terminal));
    return 0;
  }
  if (words.length === 0 && (isHelp || args.length === 0)) {
    terminal[isHelp ? 'out' : 'error'](renderOverview(commands, terminal));
    return isHelp ? 0 : wrongUse;
  }
  const known = commands.map(({ name }) => name);
  if (words.length === 0) throw new UsageError(`known commands are ${known.join(', ')}`);
  const given = words.slice(0, begun ? 2 : 1).join(' ');
  const meant = given === words[0] && begun ? `did you mean ${begun.name}?` : suggest(given, known);
  throw new UsageError(`there is no command ${given}: ${meant}`);
}
