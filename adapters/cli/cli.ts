import { messageOf } from '../../src/errors.ts';
import { version } from '../../src/settings.ts';
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
  if (words.length === 0 && args.every((arg) => arg === '--help' || arg === '-h')) {
    terminal[args.length > 0 ? 'out' : 'error'](renderOverview(commands, terminal));
    return args.length > 0 ? 0 : wrongUse;
  }
  const known = commands.map(({ name }) => name);
  const given = words.slice(0, words[0] === 'audit' ? 2 : 1).join(' ');
  throw new UsageError(
    given ? `there is no command ${given}: ${suggest(given, known)}` : `known commands are ${known.join(', ')}`,
  );
}
