import {
  paths,
  type SettingPath,
  type SettingValues,
  settings,
  toFlag,
  toVariable,
  variablePrefix,
} from './collector-settings.ts';
import { type GivenFlags, suggest, UsageError } from './command.ts';
import { readConfigFile } from './config-file.ts';
import type { Setting } from './setting.ts';

export type SettingSource = 'flag' | 'environment' | 'file' | 'default';

export interface MergedSettings {
  readonly values: SettingValues;
  /** Where each value that there is comes from. */
  readonly sources: ReadonlyMap<SettingPath, SettingSource>;
}

export const configVariable = `${variablePrefix}CONFIG`;

interface Source {
  readonly from: SettingSource;
  /** How a value is called here, for errors. */
  name(path: SettingPath): string;
  get(path: SettingPath): unknown;
}

/** Merges flags, variables, the file and defaults, in this order. Throws a `UsageError` that names what is wrong and where. */
export function readSettings(
  flags: GivenFlags['values'],
  env: Readonly<Record<string, string | undefined>>,
): MergedSettings {
  const variables = readVariables(env);
  const file = (flags.config as string | undefined) ?? variables.get(configVariable);
  const fromFile = file === undefined ? new Map<string, unknown>() : readConfigFile(file, paths);
  const sources: readonly Source[] = [
    { from: 'flag', name: (path) => `--${toFlag(path)}`, get: (path) => fromFlag(flags[toFlag(path)], settings[path]) },
    { from: 'environment', name: toVariable, get: (path) => fromText(variables.get(toVariable(path)), settings[path]) },
    { from: 'file', name: (path) => `${file}: ${path}`, get: (path) => fromFile.get(path) ?? undefined },
    { from: 'default', name: (path) => path, get: (path) => settings[path].fallback },
  ];
  const values: Partial<Record<SettingPath, unknown>> = {};
  const origins = new Map<SettingPath, SettingSource>();
  for (const path of paths) {
    const source = sources.find(({ get }) => get(path) !== undefined);
    if (!source) continue;
    values[path] = checked(source.get(path), settings[path], source.name(path));
    origins.set(path, source.from);
  }
  return { values: values as SettingValues, sources: origins };
}

function fromText(text: string | undefined, { kind }: Setting<unknown>): unknown {
  return text === undefined ? undefined : kind.fromText(text);
}

/** A list may be given by several flags. */
function fromFlag(given: string | boolean | readonly string[] | undefined, setting: Setting<unknown>): unknown {
  if (given === undefined || typeof given === 'boolean') return given;
  if (typeof given === 'string') return fromText(given, setting);
  return given.flatMap((text) => fromText(text, setting));
}

function checked(value: unknown, { kind, secret }: Setting<unknown>, name: string): unknown {
  if (kind.test(value)) return value;
  const shown = secret || typeof value === 'object' ? 'not right' : JSON.stringify(value);
  throw new UsageError(`${name} is ${shown}: it must be ${kind.allowed}`);
}

/**
 * The variables that are for the collector. Those that Kubernetes adds for a service of its name are not:
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function readVariables(env: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const known = [configVariable, ...paths.map(toVariable)];
  const found = new Map<string, string>();
  for (const [name, value = ''] of Object.entries(env)) {
    if (!name.startsWith(variablePrefix) || value.trim() === '' || isServiceLink(name, value)) continue;
    if (!known.includes(name)) throw new UsageError(`there is no variable ${name}: ${suggest(name, known)}`);
    found.set(name, value.trim());
  }
  return found;
}

function isServiceLink(name: string, value: string): boolean {
  const rest = name.slice(variablePrefix.length);
  return (
    /^(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(rest) ||
    (rest === 'PORT' && value.includes('://'))
  );
}
