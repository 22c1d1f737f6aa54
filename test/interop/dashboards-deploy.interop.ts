import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createCollector } from '../../src/collector/index.ts';
import { chatSpan, sendSpans } from '../collector/support.ts';
import { root } from '../support/build.ts';
import { buildPeer } from './collector/build.ts';
import { findHelm, lint, type Manifest, template } from './dashboards/helm.ts';
import { isMissing, until } from './peer.ts';
import { type Prometheus, runPrometheus, untilQuery } from './prometheus.ts';

const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const debian = isMissing('prometheus', ['--version']);
const built = await buildPeer('prometheus');
const compose = parse(read('deploy', 'compose', 'compose.yml')) as { services: { prometheus: { command: string[] } } };
/** As the container is started, but for where it keeps what. */
const flags = compose.services.prometheus.command.filter((flag) => /feature|retention/.test(flag));

describe.skipIf(debian)('deploy/compose with Prometheus 2 (skipped where it is not installed)', () =>
  scrapes('prometheus'),
);
describe.skipIf('missing' in built)(
  `deploy/compose with Prometheus 3${'missing' in built ? ` (${built.missing})` : ''}`,
  () => scrapes('path' in built ? built.path : ''),
);

/** The configuration of the container, and what it finds at a collector. */
function scrapes(path: string): void {
  const collector = createCollector();
  const folder = mkdtempSync(join(tmpdir(), 'edgespan-rules-'));
  let server: ServerType;
  let prometheus: Prometheus;

  beforeAll(async () => {
    // Groups that are evaluated each second, where nobody waits for a minute.
    for (const name of ['targets.yml', 'rules.yml', 'alerts.yml']) {
      const text = read('dashboards', 'prometheus', name);
      writeFileSync(join(folder, name), text.replaceAll('interval: 1m', 'interval: 1s'));
    }
    server = await new Promise((resolve) => {
      const started = serve({ fetch: collector.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(started));
    });
    const config = read('deploy', 'compose', 'prometheus.yml')
      .replaceAll('/etc/prometheus/rules', folder)
      .replace('collector:4318', `127.0.0.1:${(server.address() as AddressInfo).port}`)
      .replace('scrape_interval: 15s', 'scrape_interval: 1s')
      .replace('evaluation_interval: 1m', 'evaluation_interval: 1s');
    prometheus = await runPrometheus(path, config, flags);
    await untilQuery(prometheus, 'up{job="edgespan"}', 1);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await collector.shutdown(1000);
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('scrapes the collector, and works out all rules without an error', async () => {
    const failed = { status: { code: 2 }, attributes: { 'error.type': 'rate_limit_exceeded' } } as const;
    const id = (n: number) => ({ traceId: `${n}`.padStart(32, '0'), spanId: `${n}`.padStart(16, '0') });
    await sendSpans(collector, [chatSpan(id(1)), chatSpan({ ...id(2), ...failed })]);
    await untilQuery(prometheus, 'sum(llm_requests_total{service="shop",environment="production"})', 2);
    await sendSpans(collector, [chatSpan(id(3)), chatSpan({ ...id(4), ...failed })]);
    await untilQuery(prometheus, 'sum(llm_requests_total{service="shop",environment="production"})', 4);
    // Half of the calls fail, whatever the window extrapolates to: fifty times what the target allows.
    await untilQuery(prometheus, 'round(sum(edgespan:error_burn_rate{window="6h"}))', 50);
    await untilQuery(
      prometheus,
      'round(sum(edgespan:error_budget_consumed_ratio{window="month"}) / sum(edgespan:month_share{window="month"}))',
      50,
    );
    type Rules = { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    const bad = await until('all rules', async () => {
      const { groups } = await prometheus.get<Rules>('rules');
      const rules = groups.flatMap(({ rules }) => rules);
      expect(rules.length).toBeGreaterThan(45);
      return rules.some(({ health }) => health === 'unknown')
        ? undefined
        : rules.filter(({ health }) => health !== 'ok');
    });
    expect(bad).toEqual([]);
  });
}

const helm = findHelm();

describe.skipIf('missing' in helm)(`the Helm chart${'missing' in helm ? ` (${helm.missing})` : ''}`, () => {
  const path = 'path' in helm ? helm.path : '';
  const chart = ['deploy', 'helm', 'edgespan-observability'];

  /** Anything inside a manifest, by its path. */
  function at(manifest: Manifest | undefined, ...keys: (string | number)[]): unknown {
    return keys.reduce<unknown>(
      (value, key) => (value as Record<string | number, unknown> | undefined)?.[key],
      manifest,
    );
  }
  const find = (all: readonly Manifest[], kind: string, name: string) =>
    all.find((manifest) => manifest.kind === kind && manifest.metadata.name === `demo-edgespan-observability-${name}`);
  type Named = { name: string };
  type Mount = { name: string; mountPath: string; subPath?: string };

  it('is one that Helm finds nothing wrong with', () => {
    expect(lint(path)).toBe('');
  });

  it('has in its config maps the very dashboards and rules', () => {
    const manifests = template(path);
    const dashboards = find(manifests, 'ConfigMap', 'dashboards')!.data!;
    const names = readdirSync(join(root, 'dashboards')).filter((name) => name.endsWith('.json'));
    expect(Object.keys(dashboards).toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(JSON.parse(dashboards[name]!)).toEqual(JSON.parse(read('dashboards', name)));
    // What Kubernetes takes of one object.
    expect(JSON.stringify(dashboards).length).toBeLessThan(1_000_000);
    const rules = find(manifests, 'ConfigMap', 'rules')!.data!;
    for (const name of ['alerts.yml', 'rules.yml', 'targets.yml']) {
      expect(parse(rules[name]!)).toEqual(parse(read('dashboards', 'prometheus', name)));
    }
  });

  it.each(['prometheus', 'grafana'])('starts %s with all that it mounts, behind a service that finds it', (name) => {
    const manifests = template(path, { 'target.tokenSecret.name': 'secret-of-mine' });
    const deployment = find(manifests, 'Deployment', name)!;
    const pod = at(deployment, 'spec', 'template', 'spec');
    const container = at(pod as Manifest, 'containers', 0) as { image: string; volumeMounts: Mount[] };
    expect(container.image).toMatch(/^[\w/]+:v?\d+\.\d+\.\d+$/);
    const volumes = at(pod as Manifest, 'volumes') as (Named & { configMap?: Named })[];
    expect(new Set(container.volumeMounts.map((mount) => mount.name))).toEqual(
      new Set(volumes.map((volume) => volume.name)),
    );
    for (const { configMap } of volumes) {
      if (configMap)
        expect(manifests.some((one) => one.kind === 'ConfigMap' && one.metadata.name === configMap.name)).toBe(true);
    }
    const labels = at(deployment, 'spec', 'template', 'metadata', 'labels');
    expect(at(deployment, 'spec', 'selector', 'matchLabels')).toEqual(labels);
    expect(at(find(manifests, 'Service', name), 'spec', 'selector')).toEqual(labels);
    expect(
      manifests.every(({ apiVersion, kind, metadata }) => apiVersion && kind && metadata.name && metadata.labels),
    ).toBe(true);
  });

  it('mounts the dashboards where Grafana looks for them, and its data source is the service of Prometheus', () => {
    const manifests = template(path);
    const config = find(manifests, 'ConfigMap', 'grafana')!.data!;
    const provider = parse(config['dashboards.yml']!) as { providers: { options: { path: string } }[] };
    const mounts = at(
      find(manifests, 'Deployment', 'grafana'),
      'spec',
      'template',
      'spec',
      'containers',
      0,
      'volumeMounts',
    ) as Mount[];
    expect(mounts.find(({ name }) => name === 'dashboards')!.mountPath).toBe(provider.providers[0]!.options.path);
    for (const { mountPath, subPath } of mounts.filter(({ name }) => name === 'config')) {
      expect(config).toHaveProperty([subPath!]);
      expect(mountPath).toMatch(/^\/etc\/grafana\/provisioning\/(datasources|dashboards)\/\w+\.yml$/);
    }
    const { datasources } = parse(config['datasources.yml']!) as { datasources: { url: string }[] };
    const service = find(manifests, 'Service', 'prometheus')!;
    const port = at(service, 'spec', 'ports', 0, 'port');
    expect(datasources[0]!.url).toBe(`http://${service.metadata.name}:${port}`);
  });

  it('scrapes the target that it is told, and keeps data where that is wanted', () => {
    const manifests = template(path, {
      'target.addresses[0]': 'apps.shop:9464',
      'target.tokenSecret.name': 'secret-of-mine',
      'prometheus.persistence.enabled': 'true',
      'prometheus.persistence.size': '7Gi',
      'grafana.existingSecret': 'login',
      targets: 'groups: []',
    });
    const config = parse(find(manifests, 'ConfigMap', 'prometheus')!.data!['prometheus.yml']!) as object;
    expect(config).toMatchObject({
      scrape_configs: [
        {
          job_name: 'edgespan',
          static_configs: [{ targets: ['apps.shop:9464'] }],
          authorization: { credentials_file: expect.any(String) },
        },
      ],
    });
    const claims = manifests.filter(({ kind }) => kind === 'PersistentVolumeClaim');
    expect(claims.map((claim) => at(claim, 'spec', 'resources', 'requests', 'storage'))).toEqual(['7Gi']);
    const volumes = at(find(manifests, 'Deployment', 'prometheus'), 'spec', 'template', 'spec', 'volumes');
    expect(volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: claims[0]!.metadata.name } });
    expect(volumes).toContainEqual(
      expect.objectContaining({ secret: expect.objectContaining({ secretName: 'secret-of-mine' }) }),
    );
    expect(find(manifests, 'ConfigMap', 'rules')!.data!['targets.yml']!.trim()).toBe('groups: []');
    expect(manifests.some(({ kind }) => kind === 'Secret')).toBe(false);
    expect(parse(read(...chart, 'Chart.yaml'))).toMatchObject({ apiVersion: 'v2', name: 'edgespan-observability' });
  });
});
