import { type SettingPath, settings, toFlag, toVariable } from './collector-settings.ts';
import type { MergedSettings, SettingSource } from './read-settings.ts';
import type { Terminal } from './terminal.ts';

/** Says that there is something, and not what. */
const hidden = '(hidden)';

/** What a start would use, and where each value comes from; secrets are left out. */
export function printConfig({ values, sources }: MergedSettings, asJson: boolean, terminal: Terminal): void {
  const shown = [...sources].map(([path, from]) => ({ path, from, value: show(path, values[path]) }));
  if (asJson) {
    terminal.json(Object.fromEntries(shown.map(({ path, ...rest }) => [path, rest])));
    return;
  }
  for (const { path, from, value } of shown) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    terminal.out(`${path} = ${text}  ${terminal.style('dim', `# ${describeSource(path, from)}`)}`);
  }
}

function describeSource(path: SettingPath, from: SettingSource): string {
  if (from === 'flag') return `--${toFlag(path)}`;
  return from === 'environment' ? toVariable(path) : from;
}

function show(path: SettingPath, value: unknown): unknown {
  if (!settings[path].secret) return value;
  if (path === 'keys') return Object.values(value as object).map((tenant) => `${hidden}=${tenant}`);
  if (typeof value === 'object') return Object.keys(value as object).map((name) => `${name}=${hidden}`);
  return path === 'forward.endpoint' ? withoutQuery(value as string) : hidden;
}

/** Where it goes is no secret; what stands behind the question mark may be one. */
function withoutQuery(endpoint: string): string {
  const { origin, pathname, search } = new URL(endpoint);
  return origin + pathname + (search && `?${hidden}`);
}
