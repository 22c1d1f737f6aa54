import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { collector } from '../../adapters/cli/collector.ts';
import { paths, type SettingPath, settings, toFlag, toVariable } from '../../adapters/cli/collector-settings.ts';
import { parseFlags } from '../../adapters/cli/parse-flags.ts';
import { readSettings } from '../../adapters/cli/read-settings.ts';
import { newPath, runHere } from './run.ts';

/** Three values of each option, as text for flags and variables and as they stand in a file. */
function samplesOf(path: SettingPath): [string, string, string] {
  const { shown } = settings[path].kind;
  if (shown === '') return ['true', 'false', 'true'];
  if (shown === '0..1') return ['0.5', '0.6', '0.7'];
  if (shown === 'N') return ['11', '12', '13'];
  if (shown === 'KEY=TENANT,…' || shown === 'NAME=VALUE,…') return ['a=x', 'b=y', 'c=z'];
  if (shown === 'NAME=N,…') return ['model=1', 'agent=2', 'model=3'];
  if (shown === 'NAME=A:B:C,…') return ['a=1:2', 'b=1:2:3', 'c=4'];
  if (shown === 'URL') return ['http://a:1', 'http://b:2', 'http://c:3'];
  if (shown.includes('|')) {
    const [first, second] = shown.split('|');
    return [first!, second!, first!];
  }
  return ['one', 'two', 'three'];
}

const sampleValue = (path: SettingPath, text: string) => settings[path].kind.fromText(text);

function flagsOf(path: SettingPath, text: string) {
  const flag = `--${toFlag(path)}`;
  if (settings[path].kind.shown !== '') return parseFlags([`${flag}=${text}`], collector.flags).values;
  return parseFlags([text === 'true' ? flag : flag.replace('--', '--no-')], collector.flags).values;
}

function fileOf(path: SettingPath, text: string): string {
  const [group, name] = path.split('.');
  const value = sampleValue(path, text);
  return newPath(
    'config.json',
    JSON.stringify(name === undefined ? { [path]: value } : { [group!]: { [name]: value } }),
  );
}

const read = (path: SettingPath, flags = {}, env = {}) => {
  const { values, sources } = readSettings(flags, env);
  return { value: values[path], from: sources.get(path) };
};

describe('options of the collector', () => {
  it.each(paths)('%s: a flag beats a variable, that the file, that the default', (path) => {
    const [one, two, three] = samplesOf(path);
    const config = fileOf(path, three);
    const env = { [toVariable(path)]: two };
    expect(read(path, { config, ...flagsOf(path, one) }, env)).toEqual({ value: sampleValue(path, one), from: 'flag' });
    expect(read(path, { config }, env)).toEqual({ value: sampleValue(path, two), from: 'environment' });
    expect(read(path, { config })).toEqual({ value: sampleValue(path, three), from: 'file' });
    const { fallback } = settings[path];
    expect(read(path)).toEqual({ value: fallback, from: fallback === undefined ? undefined : 'default' });
  });

  it('reads YAML, and the file that a variable names', () => {
    const path = newPath('collector.yaml', 'port: 4319\nqueue:\n  softLimit: 0.7\nredact: [email, phone]\nadminKey:\n');
    const { values } = readSettings({}, { EDGESPAN_COLLECTOR_CONFIG: path });
    expect(values).toMatchObject({ port: 4319, 'queue.softLimit': 0.7, redact: ['email', 'phone'] });
    expect(values.adminKey).toBeUndefined();
  });

  it.each([
    ['port: many', 'port is "many": it must be an integer from 0 to 65535'],
    ['prot: 1', 'there is no option prot: did you mean port?'],
    ['queue: { softlimt: 1 }', 'there is no option queue.softlimt: did you mean softLimit?'],
    ['queue: 5', 'queue must have options by name'],
    ['- a', 'the file must have options by name'],
    ['a: b: c', 'is neither JSON nor YAML at line 1'],
    ['keys: [secret]', 'keys is not right: it must be keys and their tenants'],
  ])('names what is wrong in a file: %s', async (text, message) => {
    const path = newPath('collector.yaml', text);
    const { code, stderr } = await runHere(['collector', '--config', path, '--print-config']);
    expect(code).toBe(2);
    expect(stderr).toContain(path);
    expect(stderr).toContain(message);
  });

  it.each([
    ['EDGESPAN_COLLECTOR_QUEUE_MX', '1', 'did you mean EDGESPAN_COLLECTOR_QUEUE_MAX?'],
    ['EDGESPAN_COLLECTOR_QUEUE_MAX', 'lots', 'EDGESPAN_COLLECTOR_QUEUE_MAX is "lots": it must be an integer from 1'],
    ['EDGESPAN_COLLECTOR_DASHBOARD', 'maybe', 'it must be true or false'],
    ['EDGESPAN_COLLECTOR_KEYS', 'sesame', 'EDGESPAN_COLLECTOR_KEYS is not right'],
  ])('names the variable that is wrong: %s=%s', async (name, value, message) => {
    const { code, stderr } = await runHere(['collector', '--print-config'], { [name]: value });
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('sesame');
  });

  it('takes the variables of a Kubernetes service of its name for what they are', () => {
    const { values } = readSettings(
      {},
      {
        EDGESPAN_COLLECTOR_SERVICE_HOST: '10.0.0.11',
        EDGESPAN_COLLECTOR_SERVICE_PORT: '4318',
        EDGESPAN_COLLECTOR_SERVICE_PORT_HTTP: '4318',
        EDGESPAN_COLLECTOR_PORT: 'tcp://10.0.0.11:4318',
        EDGESPAN_COLLECTOR_PORT_4318_TCP: 'tcp://10.0.0.11:4318',
        EDGESPAN_COLLECTOR_PORT_4318_TCP_ADDR: '10.0.0.11',
      },
    );
    expect(values.port).toBe(4318);
  });

  it('takes keys that end with an equals sign, and headers that have one', () => {
    const { values } = readSettings(
      { keys: 'c2VjcmV0Cg===shop, other=blog', 'forward-headers': 'authorization=Basic dTpw=' },
      {},
    );
    expect(values.keys).toEqual({ 'c2VjcmV0Cg==': 'shop', other: 'blog' });
    expect(values['forward.headers']).toEqual({ authorization: 'Basic dTpw=' });
  });

  it('collects lists of several flags, where an expression may have commas', () => {
    const { values } = parseFlags(['--redact', 'email,phone', '--redact', '/x{1,2}/'], collector.flags);
    expect(readSettings(values, {}).values.redact).toEqual(['email', 'phone', '/x{1,2}/']);
  });
});

describe('--print-config', () => {
  const secrets = ['sesame', 'hunter2', 'swordfish', 'token123'];
  const args = [
    ...['collector', '--print-config', '--keys', 'sesame=shop', '--admin-key', 'hunter2'],
    ...['--forward-endpoint', 'https://otlp.example.com/x?key=token123', '--forward-headers', 'x-key=swordfish'],
  ];

  it('shows what holds and where it comes from, and no secret', async () => {
    const { code, stdout } = await runHere(args, { EDGESPAN_COLLECTOR_QUEUE_MAX: '77' });
    expect(code).toBe(0);
    expect(stdout).toContain('port = 4318  # default');
    expect(stdout).toContain('queue.max = 77  # EDGESPAN_COLLECTOR_QUEUE_MAX');
    expect(stdout).toContain('keys = ["(hidden)=shop"]  # --keys');
    expect(stdout).toContain('forward.endpoint = https://otlp.example.com/x?(hidden)  # --forward-endpoint');
    for (const secret of secrets) expect(stdout).not.toContain(secret);
  });

  it('does so in JSON', async () => {
    const { stdout } = await runHere([...args, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      port: { value: 4318, from: 'default' },
      adminKey: { value: '(hidden)', from: 'flag' },
    });
    for (const secret of secrets) expect(stdout).not.toContain(secret);
  });

  it('answers every option that has a value', async () => {
    const { stdout } = await runHere(['collector', '--print-config', '--json']);
    const defaults = paths.filter((path) => settings[path].fallback !== undefined);
    expect(Object.keys(parse(stdout))).toEqual(defaults);
  });
});
