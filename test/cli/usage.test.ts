import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import { cliFile, run, runHere } from './run.ts';

beforeAll(() => ensureBuilt({ types: false }));

describe('the command line', () => {
  it('is one file that imports nothing but the runtime', () => {
    const imported = readFileSync(cliFile, 'utf8').matchAll(/(?<![.\w])(?:from|import)\s*\(?"([\w@][\w:/@.-]*)"/g);
    expect([...new Set(Array.from(imported, ([, name]) => name!.split(':')[0]))]).toEqual(['node']);
  });

  it('lists its commands, and wants one', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    for (const name of ['collector', 'check', 'prices', 'audit verify']) expect(help.stdout).toContain(`  ${name}`);
    const none = await run([]);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain(help.stdout);
  });

  it.each(['help prices', 'prices -h', 'help audit', 'audit --help', 'help'])('helps by %s too', async (line) => {
    const { code, stdout } = await runHere(line.split(' '));
    const topic = line.match(/prices|audit/)?.[0] ?? '<command>';
    expect({ code, usage: stdout.match(/Usage: edgespan (\S+)/)?.[1] }).toEqual({ code: 0, usage: topic });
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: version });
  });

  it.each([
    ['colector', 'there is no command colector: did you mean collector?'],
    ['audit verfy x', 'there is no command audit verfy: did you mean audit verify?'],
    ['frobnicate', 'there is no command frobnicate: known are collector, check, prices, audit verify'],
    ['audit', 'there is no command audit: did you mean audit verify?'],
    ['collector --prt 1', 'there is no flag --prt: did you mean --port?'],
    ['prices gpt-4o -5 1', 'there is no flag -5'],
    ['collector --port', '--port needs a value: --port N'],
    ['collector --store --port 1', '--store needs a value'],
    ['collector --port 1 --port 2', '--port is given twice'],
    ['collector --dashboard=yes', '--dashboard takes no value'],
    ['collector --no-port', 'there is no flag --no-port'],
    ['collector 4318', 'what is 4318?'],
    ['prices gpt-4o', 'which call?'],
    ['prices gpt-4o ten 1', 'input is "ten": it must be a number of tokens'],
    ['check a b', 'one endpoint at a time'],
    ['check ftp://x', 'the endpoint must be an http: or https: URL'],
    ['check --protocol grpc', '--protocol must be json or protobuf'],
    ['audit verify', 'which file?'],
  ])('%s is wrong use, with exit code 2', async (line, message) => {
    const { code, stdout, stderr } = await runHere(line.split(' '));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`error: ${message}`);
    expect(stderr).not.toContain('    at ');
  });

  it.each(['collector', 'check', 'prices', 'audit verify'])('explains %s', async (name) => {
    const { code, stdout } = await runHere([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: edgespan ${name}`);
    expect(stdout).toContain('--json');
  });

  it('answers errors as JSON too', async () => {
    const { code, stdout } = await run(['prices', 'no-such-model-at-all', '1', '1', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ ok: false, error: expect.stringContaining('no table has a price') });
  });

  it('has no colours where nobody looks', async () => {
    const { stdout } = await run(['prices', 'gpt-4o', '1', '1'], { NO_COLOR: '', FORCE_COLOR: '1' });
    expect(stdout).not.toContain('\u001b[');
  });
});
