import type { AppendFile } from '../audit/jsonl-store.ts';

/** Of `node:fs`, which Deno and Bun have too. */
export interface FileSystem {
  openSync(path: string, flags: string): number;
  fstatSync(file: number): { readonly size: number };
  readSync(file: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(file: number, bytes: Uint8Array): number;
  fsyncSync(file: number): void;
  ftruncateSync(file: number, length: number): void;
}

/** Opens a file that grows at its end, and makes it where there is none. */
export function openAppendFile(fs: FileSystem, path: string): AppendFile {
  const file = fs.openSync(path, 'a+');
  return {
    size: () => fs.fstatSync(file).size,
    read(at, length) {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, fs.readSync(file, bytes, 0, length, at));
    },
    append(bytes) {
      for (let written = 0; written < bytes.length; ) written += fs.writeSync(file, bytes.subarray(written));
      fs.fsyncSync(file);
    },
    truncate: (size) => fs.ftruncateSync(file, size),
  };
}
