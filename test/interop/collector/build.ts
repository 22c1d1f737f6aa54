import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { root } from '../../support/build.ts';
import { isMissing, required } from '../peer.ts';

const source = fileURLToPath(new URL('.', import.meta.url));
const sources = ['main.go', 'go.mod', 'go.sum'];

/** What `go.mod` can build: the Collector of this folder, and Prometheus without what discovers targets in clouds. */
const packages = {
  collector: ['.'],
  prometheus: ['-tags=remove_all_sd', 'github.com/prometheus/prometheus/cmd/prometheus'],
};

/** Several times what a cold build takes on two cores, modules included. */
const buildTimeoutMs = 15 * 60_000;
/** A build should leave the machine to those who use it. */
const politePriority = 15;

export type Built = { readonly path: string } | { readonly missing: string };

/** Builds a program, unless it is there since an earlier run. On CI a build that fails throws, elsewhere it says why. */
export async function buildPeer(name: keyof typeof packages): Promise<Built> {
  if (isMissing('go', ['version'])) return { missing: 'Go is not installed' };
  try {
    return { path: await build(name) };
  } catch (error) {
    if (required) throw error;
    return { missing: `its build failed: ${(error as Error).message}` };
  }
}

async function build(name: keyof typeof packages): Promise<string> {
  const folder = join(root, 'node_modules', '.cache', 'edgespan-peers', fingerprint());
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  const flags = ['-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', '-p=2', '-o', fresh];
  await runGo(['build', ...flags, ...packages[name]]);
  renameSync(fresh, path);
  return path;
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const file of sources) hash.update(readFileSync(join(source, file)));
  return hash.digest('hex').slice(0, 16);
}

function runGo(args: string[]): Promise<void> {
  // Another version of Go would be one more download, and a C compiler one more thing to have.
  const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
  const go = spawn('go', args, { cwd: source, env, stdio: ['ignore', 'ignore', 'pipe'], timeout: buildTimeoutMs });
  if (go.pid !== undefined) setPriority(go.pid, politePriority);
  let complaints = '';
  go.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  return new Promise((resolve, reject) => {
    go.once('error', reject);
    go.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`go build ended with ${code}: ${complaints}`)),
    );
  });
}
