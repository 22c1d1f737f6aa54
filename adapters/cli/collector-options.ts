import * as fs from 'node:fs';
import process from 'node:process';
import { createJsonlStore } from '../../src/audit/jsonl-store.ts';
import { type AuditLog, createAuditLog } from '../../src/audit/log.ts';
import { createMemoryTraceStore } from '../../src/collector/memory-trace-store.ts';
import type { CollectorOptions, LiveOptions } from '../../src/collector/options.ts';
import { createSqliteTraceStore } from '../../src/collector/sqlite-trace-store.ts';
import type { TraceStore } from '../../src/collector/trace-store.ts';
import { messageOf, type TelemetryError } from '../../src/errors.ts';
import type { TelemetryOptions } from '../../src/options.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { parsePrices } from '../../src/pricing/check.ts';
import { fileVariable, jsonVariable } from '../../src/pricing/sources.ts';
import type { Runtime } from '../../src/runtime.ts';
import { openAppendFile } from '../../src/server/append-file.ts';
import { paths, type SettingPath, type SettingValues } from './collector-settings.ts';
import { CommandError, UsageError } from './command.ts';
import { readText } from './config-file.ts';
import { readKeysFile, readSecretFile } from './keys-file.ts';
import { readSigningKey } from './pem.ts';
import { readRedactRules } from './redact-rules.ts';
import { openSqlite } from './sqlite.ts';

export interface OpenOptions {
  readonly options: CollectorOptions;
  /** Closes the files behind them. */
  close(): void;
}

/** Settings as what `createCollector` takes; opens the stores that they name. */
export async function openOptions(
  values: SettingValues,
  env: Readonly<Record<string, string | undefined>>,
  onError: (error: TelemetryError) => void,
): Promise<OpenOptions> {
  const audit = await openAudit(values);
  const keys = { ...(values.keysFile && readKeysFile(values.keysFile)), ...values.keys };
  const adminKey = values.adminKey ?? (values.adminKeyFile && readSecretFile(values.adminKeyFile));
  const live = readLive(values);
  const telemetry = { ...toTelemetry(values, env), sampling: live.sampling };
  // Last, so that nothing is open where something else is wrong.
  const { traces, close } = await openStore(values);
  const endpoint = values['forward.endpoint'];
  const headers = values['forward.headers'];
  return {
    options: {
      telemetry: { ...telemetry, onError },
      traces,
      ...(Object.keys(keys).length > 0 && { keys }),
      ...(adminKey && { adminKey }),
      ...(endpoint && { forward: { endpoint, ...(headers && { headers }) } }),
      queue: live.queue,
      rateLimit: live.rateLimit,
      limits: groupOf(values, 'limits.'),
      ...pick(values, ['dashboard', 'tenantLabel', 'trustTenantHeader', 'trustForwardedFor']),
      ...(audit && { audit }),
      memoryBytes: () => process.memoryUsage().rss,
    },
    close,
  };
}

/** What may change while it runs. */
export function readLive(values: SettingValues): Required<LiveOptions> {
  return {
    sampling: groupOf(values, 'sampling.'),
    queue: groupOf(values, 'queue.'),
    rateLimit: groupOf(values, 'rateLimit.'),
  };
}

/** The values of a group by their own names; what is not given is left out. */
function groupOf(values: SettingValues, prefix: string): Record<string, never> {
  const inside = paths.filter((path) => path.startsWith(prefix) && values[path] !== undefined);
  return Object.fromEntries(inside.map((path) => [path.slice(prefix.length), values[path] as never]));
}

function pick<P extends SettingPath>(values: SettingValues, names: readonly P[]): Pick<SettingValues, P> {
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Pick<SettingValues, P>;
}

function toTelemetry(values: SettingValues, env: Readonly<Record<string, string | undefined>>): TelemetryOptions {
  const redact = values.redact && readRedactRules(values.redact);
  const { pricesFile, pricingProfile } = values;
  const compression = values['forward.compression'];
  return {
    runtime: createRuntime(env),
    metrics: groupOf(values, 'metrics.'),
    otlp: {
      ...(compression && { compression }),
      ...(values['forward.protocol'] === 'protobuf' && { encoder: protobuf }),
    },
    ...(redact && { redact }),
    ...(pricesFile && { prices: readPrices(pricesFile) }),
    ...(pricingProfile && { pricingProfile }),
  };
}

function readPrices(path: string) {
  try {
    return parsePrices(readText(path, 'the table of prices'));
  } catch (error) {
    throw new UsageError(`pricesFile ${path}: ${(error as Error).message}`);
  }
}

/** Of the environment only prices: an `OTEL_*` variable that is meant for applications might send to ourselves. */
function createRuntime(env: Readonly<Record<string, string | undefined>>): Runtime {
  const { bun, deno } = process.versions as { bun?: string; deno?: string };
  return {
    name: bun ? 'bun' : deno ? 'deno' : 'nodejs',
    env: { [fileVariable]: env[fileVariable], [jsonVariable]: env[jsonVariable] },
    readFile: (path) => fs.readFileSync(path, 'utf8'),
    every(ms, run) {
      const timer = setInterval(run, ms);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

async function openStore(values: SettingValues): Promise<{ traces: TraceStore; close(): void }> {
  const { store = 'memory', maxTraces, maxSpansPerTrace, expireAfterMs } = values;
  const bounds = { ...(maxTraces && { maxTraces }), ...(maxSpansPerTrace && { maxSpansPerTrace }) };
  if (store === 'memory') return { traces: createMemoryTraceStore(bounds), close() {} };
  const [, path] = /^sqlite:(.+)$/.exec(store) ?? [];
  if (path === undefined) throw new UsageError(`store is ${JSON.stringify(store)}: it must be memory or sqlite:PATH`);
  const database = await openSqlite(path);
  try {
    const traces = createSqliteTraceStore(database, { ...bounds, ...(expireAfterMs && { expireAfterMs }) });
    return { traces, close: () => database.close() };
  } catch (error) {
    database.close();
    throw new CommandError(`the database ${path} can't be used: ${messageOf(error)}`);
  }
}

async function openAudit(values: SettingValues): Promise<AuditLog | undefined> {
  const path = values['audit.file'];
  const keyFile = values['audit.signingKeyFile'];
  if (path === undefined) return undefined;
  const signingKey = keyFile === undefined ? undefined : await readSigningKey(keyFile);
  const store = createJsonlStore(() => openAppendFile(fs, path));
  // Now, and not with the first entry, which would be lost.
  await store.last().catch((error: unknown) => {
    throw new CommandError(`the audit log ${path} can't be opened: ${messageOf(error)}`);
  });
  return createAuditLog({ store, chain: values['audit.chain'] ?? true, ...(signingKey && { signingKey }) });
}
