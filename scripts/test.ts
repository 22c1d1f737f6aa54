import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

/** All tests, with what they need installed and built first. Arguments go to vitest. */
const steps: [string, string[]][] = [
  ...(existsSync('test/clients/node_modules')
    ? []
    : [['npm', ['ci', '--prefix', 'test/clients']] as [string, string[]]]),
  ['npm', ['run', '--silent', 'build']],
  ['npm', ['run', '--silent', 'check']],
  ['vitest', ['run', ...process.argv.slice(2)]],
];

for (const [command, args] of steps) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
