import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boards } from './dashboards/boards/index.ts';
import { renderBoard } from './dashboards/dashboard.ts';

/**
 * `npm run dashboards` writes the dashboards from their description in `scripts/dashboards`, and copies them with the
 * rules of Prometheus into the Helm chart, which can read no file outside of itself.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const rules = 'dashboards/prometheus';
const chart = 'deploy/helm/edgespan-observability/files';

/** Every file that is written, by its path from the root. */
export function renderDashboards(): Map<string, string> {
  const files = new Map<string, string>();
  for (const board of boards) {
    const json = `${JSON.stringify(renderBoard(board), null, 2)}\n`;
    files.set(`dashboards/${board.name}.json`, json);
    files.set(`${chart}/dashboards/${board.name}.json`, json);
  }
  for (const name of readdirSync(join(root, rules)).filter((file) => file.endsWith('.yml'))) {
    files.set(`${chart}/rules/${name}`, readFileSync(join(root, rules, name), 'utf8'));
  }
  return files;
}

if (import.meta.main) {
  for (const [path, text] of renderDashboards()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
