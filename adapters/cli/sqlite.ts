import type { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../../src/errors.ts';
import { CommandError } from './command.ts';

/** Opens a database of `node:sqlite`, which Deno and Bun have too. Loaded only where it is asked for. */
export async function openSqlite(path: string, options: { readOnly?: boolean } = {}): Promise<DatabaseSync> {
  const sqlite = await import('node:sqlite').catch(() => {
    throw new CommandError('this runtime has no node:sqlite: Node 22.13 or later, Deno and Bun have it');
  });
  try {
    return new sqlite.DatabaseSync(path, options);
  } catch (error) {
    throw new CommandError(`the database ${path} can't be opened: ${messageOf(error)}`);
  }
}
