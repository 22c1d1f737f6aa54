import * as fs from 'node:fs';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createJsonlStore } from '../../src/audit/jsonl-store.ts';
import { createAuditLog } from '../../src/audit/log.ts';
import { createSqliteAuditStore } from '../../src/audit/sqlite-store.ts';
import { openAppendFile } from '../../src/server/append-file.ts';
import { newPath, runHere } from './run.ts';

const ed25519 = { name: 'Ed25519' };
const newKeys = async () => (await crypto.subtle.generateKey(ed25519, true, ['sign', 'verify'])) as CryptoKeyPair;

async function writeLog(options: { signingKey?: CryptoKey; chain?: boolean } = {}): Promise<string> {
  const path = newPath('audit.jsonl');
  const log = createAuditLog({ store: createJsonlStore(() => openAppendFile(fs, path)), chain: true, ...options });
  for (let i = 0; i < 5; i++) await log.record({ user: 'u', model: `model-${i}`, costUsd: i });
  return path;
}

function edit(path: string, change: (lines: string[]) => string[]): void {
  writeFileSync(path, change(readFileSync(path, 'utf8').split('\n')).join('\n'));
}

const verify = (...args: string[]) => runHere(['audit', 'verify', ...args]);

describe('edgespan audit verify', () => {
  it('finds nothing wrong with a whole log, and changes nothing', async () => {
    const path = await writeLog();
    const before = readFileSync(path);
    const { code, stdout } = await verify(path);
    expect(code).toBe(0);
    expect(stdout).toMatch(/: 5 records, none altered, missing or elsewhere; the last hash is [\da-f]{64}$/);
    expect(readFileSync(path)).toEqual(before);
  });

  it.each<[string, (lines: string[]) => string[], object, string]>([
    [
      'altered',
      (lines) => lines.map((line, i) => (i === 2 ? line.replace('"costUsd":2', '"costUsd":0') : line)),
      { index: 2, problem: 'altered' },
      'record 2 is altered',
    ],
    [
      'overwritten',
      (lines) => lines.map((line, i) => (i === 2 ? '#'.repeat(line.length) : line)),
      { index: 2, problem: 'altered' },
      'record 2 is altered: it is not what its hash was made of; its line is no record any more',
    ],
    [
      'overwritten, the last one',
      (lines) => lines.map((line, i) => (i === 4 ? '#'.repeat(line.length) : line)),
      { index: 4, problem: 'altered' },
      'record 4 is altered',
    ],
    ['missing', (lines) => lines.filter((_, i) => i !== 3), { index: 3, problem: 'missing' }, 'record 3 is missing'],
    [
      'reordered',
      ([a, b, c, ...rest]) => [a!, c!, b!, ...rest],
      { index: 1, problem: 'reordered' },
      'record 1 is not where it belongs',
    ],
    [
      'without its hash',
      (lines) => lines.map((line, i) => (i === 1 ? line.replace(/,"hash":"\w+"/, '') : line)),
      { index: 1, problem: 'altered' },
      'record 1 is altered',
    ],
  ])('names the first record that is %s', async (_, change, fault, said) => {
    const path = await writeLog();
    edit(path, change);
    const { code, stderr } = await verify(path);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path}: ${said}`);
    const json = await verify(path, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, ...fault });
  });

  it('tells of a record what it says of itself', async () => {
    const path = await writeLog();
    edit(path, (lines) => lines.map((line, i) => (i === 2 ? line.replace('"costUsd":2', '"costUsd":0') : line)));
    expect((await verify(path)).stderr).toMatch(/id [\da-f-]{36}, time \d{4}-.*Z, model model-2/);
  });

  it('misses what was taken off the end where the count is kept elsewhere', async () => {
    const path = await writeLog();
    edit(path, (lines) => [...lines.slice(0, 3), '']);
    expect((await verify(path)).code).toBe(0);
    const { code, stderr } = await verify(path, '--count', '5');
    expect(code).toBe(1);
    expect(stderr).toContain('3 records where 5 are expected');
  });

  it('does not count a line that a crash cut off, and leaves it where it is', async () => {
    const path = await writeLog();
    fs.appendFileSync(path, '{"index":5,"mod');
    const before = readFileSync(path);
    const { code, stdout, stderr } = await verify(path);
    expect(code).toBe(0);
    expect(stdout).toContain('5 records');
    expect(stderr).toContain('the last line is cut off');
    expect(readFileSync(path)).toEqual(before);
  });

  it('looks at signatures, with a key in any of its forms', async () => {
    const { privateKey, publicKey } = await newKeys();
    const other = await newKeys();
    const path = await writeLog({ signingKey: privateKey });
    const forms = {
      pem: `-----BEGIN PUBLIC KEY-----\n${Buffer.from(await crypto.subtle.exportKey('spki', publicKey)).toString('base64')}\n-----END PUBLIC KEY-----\n`,
      jwk: JSON.stringify(await crypto.subtle.exportKey('jwk', publicKey)),
      base64: Buffer.from(await crypto.subtle.exportKey('raw', publicKey)).toString('base64'),
      hex: Buffer.from(await crypto.subtle.exportKey('raw', publicKey)).toString('hex'),
    };
    for (const [form, text] of Object.entries(forms)) {
      const { code, stdout } = await verify(path, '--public-key', newPath(form, text));
      expect([form, code]).toEqual([form, 0]);
      expect(stdout).toContain('all signed by this key');
    }
    const foreign = newPath('jwk', JSON.stringify(await crypto.subtle.exportKey('jwk', other.publicKey)));
    const { code, stderr } = await verify(path, '--public-key', foreign);
    expect(code).toBe(1);
    expect(stderr).toContain('record 0 is not signed by this key');
  });

  it('refuses what is no key, without quoting it', async () => {
    const path = await writeLog();
    const { code, stderr } = await verify(path, '--public-key', newPath('key', 'not-a-key'));
    expect(code).toBe(1);
    expect(stderr).toContain('is not an Ed25519 public key');
    expect(stderr).not.toContain('not-a-key');
  });

  it('looks at the order alone of a log without a chain, where that is meant', async () => {
    const path = await writeLog({ chain: false });
    const strict = await verify(path);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('--unchained');
    expect((await verify(path, '--unchained')).code).toBe(0);
  });

  it('reads SQLite', async () => {
    const path = newPath('audit.db');
    const database = new DatabaseSync(path);
    const log = createAuditLog({ store: createSqliteAuditStore(database), chain: true });
    for (let i = 0; i < 3; i++) await log.record({ model: `model-${i}` });
    database.close();
    expect(await verify(path)).toMatchObject({ code: 0, stdout: expect.stringContaining('3 records') });
  });

  it('names a row of SQLite that is no record any more', async () => {
    const path = newPath('audit.db');
    const database = new DatabaseSync(path);
    const log = createAuditLog({ store: createSqliteAuditStore(database), chain: true });
    for (let i = 0; i < 4; i++) await log.record({ model: `model-${i}` });
    database.exec("UPDATE audit SET json = 'gone' WHERE id = 3");
    const last = { code: 1, stderr: expect.stringContaining('record 3 is altered') };
    expect(await verify(path)).toMatchObject(last);
    database.exec("UPDATE audit SET json = '7' WHERE id = 1");
    database.close();
    expect(await verify(path)).toMatchObject({ code: 1, stderr: expect.stringContaining('record 1 is altered') });
  });

  it.each(["user = 'eve'", 'user = NULL', "model = 'other'", 'time = time - 1000'])(
    'names a record of SQLite that queries no longer find: %s',
    async (change) => {
      const path = newPath('audit.db');
      const database = new DatabaseSync(path);
      const log = createAuditLog({ store: createSqliteAuditStore(database), chain: true });
      for (let i = 0; i < 3; i++) await log.record({ user: 'ann', model: `model-${i}` });
      await log.record({ user: 'a\u0000b\ud800', model: 'c\u0000' });
      expect((await verify(path)).code).toBe(0);
      database.exec(`UPDATE audit SET ${change} WHERE id = 1`);
      database.close();
      expect(await verify(path)).toMatchObject({ code: 1, stderr: expect.stringContaining('record 1 is altered') });
    },
  );

  it('says of a database without a log, and of a folder, that there is none', async () => {
    const path = newPath('other.db');
    const database = new DatabaseSync(path);
    database.exec('CREATE TABLE other (id INTEGER)');
    database.close();
    expect(await verify(path)).toMatchObject({ code: 1, stderr: `error: ${path} has no audit log` });
    expect(await verify(dirname(path))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: .* can't be read: EISDIR[^\n]*$/),
    });
  });

  it('says so where there is no such file', async () => {
    expect(await verify('/nowhere/audit.jsonl')).toMatchObject({
      code: 1,
      stderr: 'error: there is no file /nowhere/audit.jsonl',
    });
  });
});
