import { createSettings, resolveCollectorLimits } from '../../src/collector/settings.ts';
import * as kinds from './setting.ts';
import { type Setting, setting } from './setting.ts';

const { queue, sampling } = createSettings({}).current;
const limits = resolveCollectorLimits();

/**
 * Every option of `edgespan collector`, by its path in a file. `queue.softLimit` is `--queue-soft-limit` and
 * `EDGESPAN_COLLECTOR_QUEUE_SOFT_LIMIT` elsewhere.
 */
export const settings = {
  port: setting(kinds.port, 'where it listens; 0 takes a free one', 4318),
  host: setting(kinds.text, 'address to listen on; 0.0.0.0 for all', '127.0.0.1'),
  store: setting(kinds.text, 'where traces are kept: memory, or sqlite:PATH', 'memory'),
  maxTraces: setting(kinds.whole, 'traces that are kept; 10000 in memory, 100000 in SQLite'),
  maxSpansPerTrace: setting(kinds.whole, 'spans of a trace that are kept', 500),
  expireAfterMs: setting(kinds.whole, 'traces that nothing was added to for so long leave SQLite; 7 days'),
  dashboard: setting(kinds.flag, 'the page at /', true),
  shutdownTimeoutMs: setting(kinds.whole, 'time to store what was accepted once it is told to stop', 10_000),

  keys: setting(kinds.tenants, 'who may send and ask; without keys everybody'),
  keysFile: setting(kinds.file, 'more keys: lines of key=tenant, or a JSON or YAML map'),
  adminKey: setting(kinds.secret, 'opens /config'),
  adminKeyFile: setting(kinds.file, 'the same from a file'),
  tenantLabel: setting(kinds.flag, 'label tenant on the metrics of spans', false),
  trustTenantHeader: setting(kinds.flag, 'believe X-Tenant-ID where there are no keys', false),
  trustForwardedFor: setting(kinds.flag, 'believe X-Forwarded-For, behind a proxy that sets it', false),

  'forward.endpoint': setting(kinds.url, 'OTLP endpoint that gets each span that is kept'),
  'forward.headers': setting(kinds.texts, 'headers of those requests'),
  'forward.protocol': setting(kinds.choice('json', 'protobuf'), 'how they are written', 'json'),
  'forward.compression': setting(kinds.choice('none', 'gzip'), 'how they are packed', 'none'),

  'queue.max': setting(kinds.whole, 'spans that wait', queue.max),
  'queue.softLimit': setting(kinds.share, 'share of it above which requests count as warnings', queue.softLimit),
  'queue.hardLimit': setting(kinds.share, 'share of it that is never exceeded', queue.hardLimit),
  'queue.whenFull': setting(kinds.choice('reject', 'drop_oldest'), 'who is refused when it is full', queue.whenFull),
  'rateLimit.perIp': setting(kinds.whole, 'requests of an address in a minute'),
  'rateLimit.perService': setting(kinds.whole, 'requests of a service in a minute'),

  'sampling.ratio': setting(kinds.share, 'share of traces that are kept', sampling.ratio),
  'sampling.keepErrors': setting(kinds.flag, 'keep traces with an error all the same', sampling.keepErrors),
  'sampling.keepSlowerThanMs': setting(kinds.amount, 'keep slow traces all the same'),
  'sampling.keepCostlierThanUsd': setting(kinds.amount, 'keep costly traces all the same'),
  redact: setting(kinds.list, 'what is taken out of texts: all, email, phone, card, ssn, apiKey, bearer, /expression/'),

  'metrics.preset': setting(
    kinds.choice('ractogateway', 'rastir', 'synapsekit'),
    'names, labels and buckets of another system',
  ),
  'metrics.namespace': setting(kinds.text, 'prefix of the families, llm'),
  'metrics.buckets': setting(kinds.bounds, 'bounds of histograms'),
  'metrics.cardinality': setting(kinds.counts, 'values that a label may have'),
  pricesFile: setting(kinds.file, 'prices by model as JSON, before the built-in ones'),
  pricingProfile: setting(kinds.text, 'says on metrics by which prices costs were reckoned'),

  'audit.file': setting(kinds.file, 'an audit log as JSON lines: an entry for each model call'),
  'audit.chain': setting(kinds.flag, 'hash chain in it', true),
  'audit.signingKeyFile': setting(kinds.file, 'Ed25519 private key (PEM, PKCS 8) that signs its records'),

  'limits.bodyBytes': setting(kinds.whole, 'bytes of a request', limits.bodyBytes),
  'limits.inflatedBytes': setting(kinds.whole, 'bytes of a request once it is unpacked', limits.inflatedBytes),
  'limits.spansPerRequest': setting(kinds.whole, 'spans of a request', limits.spansPerRequest),
  'limits.emitters': setting(kinds.whole, 'senders that have metrics of their own', limits.emitters),
  'limits.heldTraces': setting(kinds.whole, 'traces that wait for their end, for sampling', limits.heldTraces),
  'limits.heldSpans': setting(kinds.whole, 'spans of those', limits.heldSpans),
  'limits.heldMs': setting(kinds.whole, 'for how long they wait', limits.heldMs),
  'limits.rateLimitKeys': setting(kinds.whole, 'addresses and services that are counted', limits.rateLimitKeys),
  'limits.pushedSeries': setting(kinds.whole, 'cumulative series of senders that are remembered', limits.pushedSeries),
  'limits.listeners': setting(kinds.whole, 'listeners of the live feed', limits.listeners),
};

export type SettingPath = keyof typeof settings;

/** Values by path; absent is not given and has no default. */
export type SettingValues = {
  readonly [P in SettingPath]: (typeof settings)[P] extends Setting<infer T> ? T | undefined : never;
};

export const paths = Object.keys(settings) as SettingPath[];

/** `queue.softLimit` as a flag: `queue-soft-limit`. */
export function toFlag(path: string): string {
  return path.replace(/\./g, '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export const variablePrefix = 'EDGESPAN_COLLECTOR_';

/** `queue.softLimit` as a variable: `EDGESPAN_COLLECTOR_QUEUE_SOFT_LIMIT`. */
export function toVariable(path: string): string {
  return variablePrefix + toFlag(path).replace(/-/g, '_').toUpperCase();
}
