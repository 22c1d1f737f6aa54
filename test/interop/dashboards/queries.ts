import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../../support/build.ts';

/** A query of a panel, and where it stands. */
export interface PanelQuery {
  readonly board: string;
  readonly title: string;
  readonly refId: string;
  readonly expr: string;
}

export interface VariableQuery {
  readonly board: string;
  readonly name: string;
  readonly query: string;
}

/** A rule that records, or an alert. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Dashboard {
  panels: { title: string; targets?: { refId: string; expr: string }[] }[];
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
}

const folder = join(root, 'dashboards');
const boards = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({
    board: name.replace('.json', ''),
    json: JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard,
  }));

export const panelQueries: readonly PanelQuery[] = boards.flatMap(({ board, json }) =>
  json.panels.flatMap(({ title, targets = [] }) => targets.map(({ refId, expr }) => ({ board, title, refId, expr }))),
);

export const variableQueries: readonly VariableQuery[] = boards.flatMap(({ board, json }) =>
  json.templating.list.flatMap(({ name, type, query }) =>
    type === 'query' ? [{ board, name, query: typeof query === 'string' ? query : query.query }] : [],
  ),
);

/** Those of all groups, in their order. */
export function readRules(file: string): Rule[] {
  const text = readFileSync(join(folder, 'prometheus', file), 'utf8');
  return (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
}

/** What Grafana puts in the place of variables. Whatever is not given stands for all. */
export function fill(expr: string, values: Readonly<Record<string, string>>): string {
  return expr.replace(/\$(\w+)/g, (_, name: string) => values[name] ?? '.*');
}
