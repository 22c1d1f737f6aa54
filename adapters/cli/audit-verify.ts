import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Verification } from '../../src/audit/chain.ts';
import { createJsonlStore } from '../../src/audit/jsonl-store.ts';
import { createAuditLog } from '../../src/audit/log.ts';
import type { AuditRecord, AuditStore } from '../../src/audit/record.ts';
import { createSqliteAuditStore } from '../../src/audit/sqlite-store.ts';
import { messageOf } from '../../src/errors.ts';
import { type Command, CommandError, UsageError } from './command.ts';
import { readPublicKey } from './pem.ts';
import { openSqlite } from './sqlite.ts';

type Fault = Extract<Verification, { ok: false }>;

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'follows an audit log and names the first record that is altered, missing or elsewhere',
  usage: 'FILE [--public-key FILE]',
  flags: {
    'public-key': { value: 'FILE', help: 'each record must be signed by this Ed25519 key (PEM, JWK, base64 or hex)' },
    count: { value: 'N', help: 'the log must have N records: those taken off its end leave no other trace' },
    unchained: { help: 'the log has no hash chain: look at its order alone' },
  },
  notes: ['FILE holds JSON lines, or is an SQLite database. It is only read.'],
  async run({ values, positionals }, terminal) {
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError('which file? edgespan audit verify FILE');
    const count = readCount(values.count as string | undefined);
    const publicKey = values['public-key'] ? await readPublicKey(values['public-key'] as string) : undefined;
    const { store, close, isCutOff } = await openStore(path);
    try {
      const found = await createAuditLog({ store, chain: !values.unchained }).verify(publicKey);
      const short = found.ok && count !== undefined && found.count !== count;
      const last = found.ok ? await store.last() : undefined;
      const cutOff = isCutOff();
      if (values.json)
        terminal.json({
          file: path,
          ...found,
          ...(short && { ok: false, expected: count }),
          ...(last && { lastHash: last.hash }),
          ...(cutOff && { cutOff }),
        });
      else if (!found.ok)
        terminal.error(
          `${terminal.style('red', '✗')} ${path}: ${describeFault(found)}${await describeRecord(store, found)}`,
        );
      else if (short)
        terminal.error(
          `${terminal.style('red', '✗')} ${path}: ${found.count} records where ${count} are expected: the end is missing or has grown`,
        );
      else
        terminal.out(
          `${terminal.style('green', '✓')} ${path}: ${describeWhole(found.count, last, publicKey !== undefined)}`,
        );
      if (cutOff && !values.json)
        terminal.error(
          `${terminal.style('yellow', 'note:')} the last line is cut off, as by a crash while it was written: it was never confirmed, and is not counted`,
        );
      return found.ok && !short ? 0 : 1;
    } finally {
      close();
    }
  },
};

function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(count) || count < 0)
    throw new UsageError('--count must be an integer from 0');
  return count;
}

function describeFault({ index, problem }: Fault): string {
  const of = `record ${index}`;
  const said = {
    altered: `${of} is altered: it is not what its hash was made of`,
    missing: `${of} is missing`,
    reordered: `${of} is not where it belongs`,
    signature: `${of} is not signed by this key`,
  };
  return said[problem];
}

/** What the record says of itself, as a hint where to look. */
async function describeRecord(store: AuditStore, { index, problem }: Fault): Promise<string> {
  for await (const record of store.read()) {
    if (record.index !== index) continue;
    if (record.id === '') return '; its line is no record any more';
    const when =
      Number.isFinite(record.time) && Math.abs(record.time) < 8.64e15 ? new Date(record.time).toISOString() : 'unknown';
    const hint =
      problem === 'altered' && record.hash === undefined
        ? '; it has no hash: of a log without a chain --unchained looks at the order'
        : '';
    return ` (id ${record.id}, time ${when}, model ${record.model})${hint}`;
  }
  return '';
}

function describeWhole(count: number, last: AuditRecord | undefined, isSigned: boolean): string {
  if (count === 0) return 'no records';
  const records = `${count} ${count === 1 ? 'record' : 'records'}, none altered, missing or elsewhere`;
  return `${records}${isSigned ? ', all signed by this key' : ''}${last?.hash ? `; the last hash is ${last.hash}` : ''}`;
}

interface OpenStore {
  readonly store: AuditStore;
  /** Whether a last line without its end was found. */
  isCutOff(): boolean;
  close(): void;
}

const sqliteMagic = 'SQLite format 3\0';

async function openStore(path: string): Promise<OpenStore> {
  if (!existsSync(path)) throw new CommandError(`there is no file ${path}`);
  const file = openReadOnly(path);
  const read = (at: number, length: number) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, at));
  };
  if (String.fromCharCode(...read(0, sqliteMagic.length)) === sqliteMagic) {
    closeSync(file);
    const database = await openSqlite(path, { readOnly: true });
    return { store: openTable(database, path), isCutOff: () => false, close: () => database.close() };
  }
  let isCutOff = false;
  const store = createJsonlStore(() => ({
    size: () => fstatSync(file).size,
    read,
    append() {
      throw new CommandError('a log that is verified is not written');
    },
    // It stays as it is: a look changes nothing.
    truncate() {
      isCutOff = true;
    },
  }));
  return { store, isCutOff: () => isCutOff, close: () => closeSync(file) };
}

/** A database that is only read can't be given the table that it lacks. */
function openTable(database: Parameters<typeof createSqliteAuditStore>[0], path: string): AuditStore {
  try {
    return createSqliteAuditStore(database);
  } catch {
    throw new CommandError(`${path} has no audit log`);
  }
}

function openReadOnly(path: string): number {
  try {
    const file = openSync(path, 'r');
    readSync(file, new Uint8Array(1), 0, 1, 0);
    return file;
  } catch (error) {
    throw new CommandError(`${path} can't be read: ${messageOf(error)}`);
  }
}
