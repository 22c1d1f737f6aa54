import * as fs from 'node:fs';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { createJsonlStore } from '../../src/audit/jsonl-store.ts';
import { createAuditLog } from '../../src/audit/log.ts';
import { createMemoryAuditStore } from '../../src/audit/memory-store.ts';
import { createSqliteAuditStore } from '../../src/audit/sqlite-store.ts';
import { openAppendFile } from '../../src/server/append-file.ts';
import { auditStoreContract } from '../suites/audit-store.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-audit-'));
  folders.push(folder);
  return join(folder, 'audit.jsonl');
}

const openJsonl = (path: string) => createJsonlStore(() => openAppendFile(fs, path));

describe.each([
  ['memory', () => createMemoryAuditStore()],
  ['SQLite', () => createSqliteAuditStore(new DatabaseSync(':memory:'))],
  ['JSON lines', () => openJsonl(newFile())],
])('an audit log in %s', (_, create) => {
  it.each(auditStoreContract)('$name', ({ run }) => run(create()));
});

describe('a file of JSON lines', () => {
  it('is read again by the next process', async () => {
    const path = newFile();
    const before = createAuditLog({ store: openJsonl(path), chain: true });
    for (let i = 0; i < 300; i++) await before.record({ model: 'm', input: 'é'.repeat(500) });
    const after = createAuditLog({ store: openJsonl(path), chain: true });
    expect((await after.record({ model: 'm' })).index).toBe(300);
    expect(await after.verify()).toEqual({ ok: true, count: 301 });
  });

  it('loses the line that a crash cut off, and nothing else', async () => {
    const path = newFile();
    const before = createAuditLog({ store: openJsonl(path), chain: true });
    await before.record({ model: 'a' });
    await before.record({ model: 'b' });
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"index":2,"mod`);
    const after = createAuditLog({ store: openJsonl(path), chain: true });
    expect(await after.record({ model: 'c' })).toMatchObject({ index: 2, model: 'c' });
    expect(await after.verify()).toEqual({ ok: true, count: 3 });
  });
});

describe('a disk that is full', () => {
  it('takes no half lines, so that the next entry is whole', async () => {
    let isFull = false;
    const store = createJsonlStore(() => {
      const file = openAppendFile(fs, newFile());
      return {
        ...file,
        append(bytes) {
          file.append(isFull ? bytes.subarray(0, 40) : bytes);
          if (isFull) throw new Error('ENOSPC');
        },
      };
    });
    const log = createAuditLog({ store, chain: true });
    await log.record({ model: 'a' });
    isFull = true;
    await expect(log.record({ model: 'b' })).rejects.toThrow('ENOSPC');
    isFull = false;
    expect(await log.record({ model: 'c' })).toMatchObject({ index: 1 });
    expect(await log.verify()).toEqual({ ok: true, count: 2 });
  });
});

it('SQLite waits for another process that is writing', () => {
  const database = new DatabaseSync(':memory:');
  createSqliteAuditStore(database);
  expect(database.prepare('PRAGMA busy_timeout').get()).toEqual({ timeout: 1000 });
});

it('in memory lets the oldest go, and says so', async () => {
  const log = createAuditLog({ store: createMemoryAuditStore({ maxRecords: 5 }), chain: true });
  for (let i = 0; i < 12; i++) await log.record({ model: 'm' });
  expect((await log.query()).records.map(({ index }) => index)).toEqual([7, 8, 9, 10, 11]);
  expect(await log.verify()).toEqual({ ok: true, count: 5 });
});
