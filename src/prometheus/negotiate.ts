import { parseQualityList, type QualityMember } from './header.ts';

/** How names that Prometheus's classic charset forbids are written. */
export type NameEscaping = 'underscores' | 'allow-utf-8' | 'dots' | 'values';

/** One form of exposition; `contentType` is what the response says about it. */
export interface PrometheusFormat {
  readonly type: 'text' | 'openmetrics';
  readonly escaping: NameEscaping;
  readonly contentType: string;
}

/**
 * The format of a scrape by its `Accept` header: Prometheus text 0.0.4 or 1.0.0, or OpenMetrics 1.0.0. The highest
 * quality wins, then the order of the header; no header and no match give text 0.0.4. Takes any input.
 * https://prometheus.io/docs/instrumenting/content_negotiation/
 *
 * @example
 * negotiateFormat('application/openmetrics-text;version=1.0.0').type; // openmetrics
 */
export function negotiateFormat(accept: string | null | undefined): PrometheusFormat {
  const members = parseQualityList(accept);
  const named = new Set(members.map(formatName));
  let best: PrometheusFormat | undefined;
  let quality = 0;
  for (const member of members) {
    if (member.q <= quality) continue;
    // A wildcard stands for what the header does not name: `text/plain;q=0, */*` asks for OpenMetrics.
    const wildcard = member.value === '*/*' || member.value === 'text/*';
    const name = wildcard ? wildcardFormat(member.value, named) : formatName(member);
    if (!name) continue;
    best = createFormat(name, member.params.escaping);
    quality = member.q;
  }
  return best ?? createFormat('text 0.0.4');
}

type FormatName = 'text 0.0.4' | 'text 1.0.0' | 'openmetrics';

function formatName({ value, params: { version } }: QualityMember): FormatName | undefined {
  if (value === 'application/openmetrics-text') return !version || version === '1.0.0' ? 'openmetrics' : undefined;
  if (value !== 'text/plain') return undefined;
  if (!version || version === '0.0.4') return 'text 0.0.4';
  return version === '1.0.0' ? 'text 1.0.0' : undefined;
}

function wildcardFormat(range: string, named: ReadonlySet<FormatName | undefined>): FormatName | undefined {
  if (!named.has('text 0.0.4')) return 'text 0.0.4';
  return range === '*/*' && !named.has('openmetrics') ? 'openmetrics' : undefined;
}

/** Version 0.0.4 has no word for escaping: its names are always in the classic charset. */
function createFormat(name: FormatName, asked?: string): PrometheusFormat {
  if (name === 'text 0.0.4') {
    return { type: 'text', escaping: 'underscores', contentType: 'text/plain; version=0.0.4; charset=utf-8' };
  }
  const escaping = asked === 'allow-utf-8' || asked === 'dots' || asked === 'values' ? asked : 'underscores';
  const openMetrics = name === 'openmetrics';
  const mediaType = openMetrics ? 'application/openmetrics-text' : 'text/plain';
  return {
    type: openMetrics ? 'openmetrics' : 'text',
    escaping,
    contentType: `${mediaType}; version=1.0.0; charset=utf-8; escaping=${escaping}`,
  };
}
