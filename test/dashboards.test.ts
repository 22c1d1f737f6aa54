import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderDashboards } from '../scripts/dashboards.ts';
import { parseRoute } from '../src/collector/dashboard/page/route.ts';
import { root } from './support/build.ts';

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { expr: string; refId: string; legendFormat?: string }[];
  fieldConfig?: { defaults: { unit?: string } };
}
interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string }[] };
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const names = readdirSync(join(root, 'dashboards')).filter((name) => name.endsWith('.json'));
const boards = names.map((name) => [name, JSON.parse(read(`dashboards/${name}`)) as Dashboard] as const);
/** What every Grafana has. */
const core = ['row', 'stat', 'timeseries', 'piechart', 'bargauge', 'table', 'heatmap'];

describe('dashboards', () => {
  it.each([...renderDashboards().keys()])('%s is what npm run dashboards writes', (path) => {
    expect(read(path) === renderDashboards().get(path)).toBe(true);
  });

  it('has the seven, and no file that nobody writes', () => {
    const written = [...renderDashboards().keys()];
    const of = (folder: string) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
    const chart = 'deploy/helm/edgespan-observability/files';
    expect(names.length).toBe(7);
    expect(new Set(boards.map(([, { uid }]) => uid)).size).toBe(7);
    expect(written.toSorted()).toEqual(
      [...names.map((name) => `dashboards/${name}`), ...of(`${chart}/dashboards`), ...of(`${chart}/rules`)].toSorted(),
    );
  });

  it.each(boards)('%s stands on 24 columns, nothing above another', (_, { panels }) => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), `${title} at ${x},${y}`).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
    // No holes: what is below starts where something above it ends.
    const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    expect(taken.size / (24 * height)).toBeGreaterThan(0.97);
  });

  it.each(boards)('%s says of each panel what it shows, in which unit', (_, { panels, schemaVersion }) => {
    expect(schemaVersion).toBe(42);
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      expect(core, panel.title).toContain(panel.type);
      expect(panel.description, panel.title).toMatch(/\w{3}.*\.$/s);
      expect(panel.datasource?.uid).toBe('$' + '{DS}');
      expect(panel.targets?.length, panel.title).toBeGreaterThan(0);
      const unit = panel.type === 'table' || panel.type === 'heatmap' || panel.fieldConfig?.defaults.unit;
      expect(unit, panel.title).toBeTruthy();
      const needsLegend = ['timeseries', 'piechart', 'bargauge'].includes(panel.type);
      for (const { expr, legendFormat } of panel.targets!) {
        if (needsLegend) expect(legendFormat, panel.title).toBeTruthy();
        for (const [, label] of legendFormat?.matchAll(/\{\{(\w+)\}\}/g) ?? []) {
          expect(expr, `${panel.title} has no ${label}`).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
        }
      }
    }
  });

  it.each(boards)('%s has no variable that no panel uses, and uses none that it lacks', (_, { panels, templating }) => {
    const declared = templating.list.map(({ name }) => name).toSorted();
    const text = JSON.stringify(panels);
    const used = new Set(Array.from(text.matchAll(/\$\{?([a-zA-Z]\w*)\}?/g), ([, name]) => name!));
    expect([...used].toSorted()).toEqual(declared);
    expect(declared).toEqual(expect.arrayContaining(['DS', 'agent', 'environment', 'model', 'provider', 'service']));
  });
});

interface DataSource {
  type: string;
  url: string;
  jsonData: { exemplarTraceIdDestinations: { url: string }[] };
}

interface Service {
  image: string;
  build?: { context: string; dockerfile: string };
  volumes: string[];
  ports: string[];
  command?: string[];
  depends_on?: string[];
}

describe('deploy/compose', () => {
  const folder = join(root, 'deploy', 'compose');
  const compose = parse(read('deploy/compose/compose.yml')) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);

  it('names versions of what others have made', () => {
    for (const [name, { image, build }] of services) {
      if (!build) expect(image, name).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+$/);
    }
  });

  it('mounts and builds what is there', () => {
    for (const [name, { volumes, build }] of services) {
      for (const volume of volumes) {
        const [from] = volume.split(':') as [string];
        if (from.startsWith('.')) expect(existsSync(join(folder, from)), `${name}: ${from}`).toBe(true);
        else expect(compose.volumes, name).toHaveProperty(from);
      }
      if (build) expect(existsSync(join(folder, build.context, build.dockerfile)), name).toBe(true);
    }
  });

  it('publishes nothing beyond the machine', () => {
    for (const [name, { ports }] of services) for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  });

  it('leads Prometheus to the rules and the collector, and Grafana to Prometheus and the dashboards', () => {
    const { prometheus, grafana, collector } = compose.services;
    const inside = (service: Service, path: string) =>
      service.volumes.map((volume) => volume.split(':')).find(([, to]) => path.startsWith(to!))!;
    const config = parse(read('deploy/compose/prometheus.yml')) as {
      rule_files: string[];
      scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
    };
    for (const path of config.rule_files) {
      const [from, to] = inside(prometheus!, path) as [string, string];
      expect(existsSync(join(folder, from, path.slice(to.length))), path).toBe(true);
    }
    expect(config.scrape_configs).toMatchObject([
      { job_name: 'edgespan', static_configs: [{ targets: ['collector:4318'] }] },
    ]);
    expect(collector!.ports).toEqual(['127.0.0.1:4318:4318']);

    const provider = parse(read('deploy/compose/grafana/dashboards.yml')) as {
      providers: { options: { path: string } }[];
    };
    const [from] = inside(grafana!, provider.providers[0]!.options.path);
    expect(readdirSync(join(folder, from!)).filter((name) => name.endsWith('.json')).length).toBe(7);
    const source = parse(read('deploy/compose/grafana/datasources.yml')) as { datasources: DataSource[] };
    expect(source.datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }]);
    // Provisioning reads $$ as $; Grafana puts the id of an exemplar's trace in there.
    const id = 'ab'.repeat(16);
    const link = source.datasources[0]!.jsonData.exemplarTraceIdDestinations[0]!.url.replace(
      '$$'.concat('{__value.raw}'),
      id,
    );
    expect(parseRoute(new URL(link).hash)).toEqual({ view: 'trace', id });
  });
});
