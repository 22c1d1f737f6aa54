import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseAllDocuments } from 'yaml';
import { root } from '../../support/build.ts';
import type { Built } from '../collector/build.ts';
import { isMissing, required } from '../peer.ts';

const version = 'v3.22.0';
const chart = join(root, 'deploy', 'helm', 'edgespan-observability');
/** Several times what a cold build takes on two cores. */
const buildTimeoutMs = 15 * 60_000;

/** Helm as it is installed, else built from its source unless it is there since an earlier run. */
export function findHelm(): Built {
  if (spawnSync('helm', ['version']).status === 0) return { path: 'helm' };
  const folder = join(root, 'node_modules', '.cache', 'edgespan-peers', `helm-${version}`);
  const path = join(folder, 'helm');
  if (existsSync(path)) return { path };
  if (isMissing('go', ['version'])) return { missing: 'neither Helm nor Go is installed' };
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
  const { status, stderr } = spawnSync(
    'go',
    ['install', '-p=2', '-ldflags=-s -w', `helm.sh/helm/v3/cmd/helm@${version}`],
    {
      env,
      timeout: buildTimeoutMs,
      encoding: 'utf8',
    },
  );
  if (status === 0) return { path };
  if (required) throw new Error(`go install: ${stderr}`);
  return { missing: `its build failed: ${stderr}` };
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  data?: Record<string, string>;
  // What stands here depends on the kind.
  spec: Record<string, never>;
}

/** The chart's manifests with these values. */
export function template(helm: string, values: Readonly<Record<string, string>> = {}): Manifest[] {
  const set = Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const { status, stdout, stderr } = run(helm, 'template', 'demo', chart, '--namespace', 'watch', ...set);
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() ?? [];
  });
}

/** What Helm finds wrong. */
export function lint(helm: string): string {
  const { status, stdout, stderr } = run(helm, 'lint', '--strict', chart);
  return status === 0 ? '' : stdout + stderr;
}

function run(helm: string, ...args: string[]) {
  return spawnSync(helm, args, { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
}
