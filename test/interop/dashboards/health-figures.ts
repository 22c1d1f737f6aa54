import { type BoardFigures, inRange, perSecond, rateSeconds, runsWithin } from './figures.ts';
import { intake } from './intake-load.ts';
import { lab } from './load.ts';
import type { Rows } from './rows.ts';
import { map, scale } from './sums.ts';

const model = 'provider model';
const sender = 'service environment';

/** What is only known when the load has run. */
export interface Seen {
  readonly spans: Readonly<Record<string, number>>;
  readonly stored: number;
  readonly activeTraces: number;
  readonly spansBefore: number;
}

export function systemHealth({ calls, unpriced, unreadable }: Rows, seen: Seen): BoardFigures {
  const { spans } = seen;
  const exported = Object.keys(spans).filter((service) => service !== 'plain');
  const [underway, waited, last] = intake.full;
  const legacy = 1 + 1 + 1 + underway + last + intake.large;
  const environments: Record<string, string> = { plain: 'staging', lab: 'staging' };
  const by = (service: string) => `environment=${environments[service] ?? 'production'},service=${service}`;
  const kept = Object.fromEntries(
    Object.entries({ ...spans, noisy: intake.perMinute, lost: 1, legacy }).map(([service, n]) => [by(service), n]),
  );
  const leftOut = { [by('legacy')]: intake.held };
  const came = map(kept, (value, key) => value + (key in leftOut ? leftOut[key]! : 0));
  const pace = (value: number) => ({ '': value / rateSeconds });
  const used = (100 * intake.large) / intake.room;
  return {
    'Spans a second': [{ '': seen.spansBefore / intake.seconds }],
    Queue: [{ '': used }, { '': used }],
    'Traces in the store': [{ '': seen.stored }],
    'Active traces': [{ '': seen.activeTraces }],
    Memory: [{ '': intake.memoryBytes }, { '': intake.memoryBytes }],
    'Rejected requests': [{ '': runsWithin.range }],
    'Spans that came in': [map(came, (value) => value / rateSeconds)],
    'Spans that wait': [{ '': intake.large }, { '': intake.held }],
    // Two requests stand above the soft limit.
    'Signs of pressure': [
      pace(2),
      pace(1),
      pace(waited),
      { 'dimension=service': (intake.noisy - intake.perMinute) / rateSeconds },
    ],
    Traces: [{ '': seen.stored }, { '': seen.activeTraces }],
    'Spans that are kept': [map(kept, (value, key) => value / came[key]!)],
    'Spans that sampling left out': [scale(leftOut, runsWithin.range)],
    // What a rule fails at has lost something too.
    Redaction: [{ [by('legacy')]: 2 / rateSeconds }, { [by('legacy')]: 1 / rateSeconds }],
    'Failures of the collector': [pace(1), pace(1)],
    'Exports of services': [
      perSecond(
        [
          ...exported.flatMap((service) => ['traces', 'metrics'].map((signal) => ({ service, signal, result: 'ok' }))),
          { service: 'lab', signal: 'traces', result: 'error' },
        ],
        'service signal result',
      ),
    ],
    'Lost by services': [
      {
        'reason=exporter_failed,service=lab,signal=traces': spans.lab! * runsWithin.range,
        'reason=refused,service=(none),signal=traces': runsWithin.range,
      },
    ],
    'Replies nobody could read': [inRange(unreadable, 'provider')],
    'Calls without a price': [inRange(unpriced, model)],
    'Series beyond the bound': [{ 'metric=crowd': (lab.crowd - lab.seriesPerMetric) * runsWithin.range }],
    'Calls that are counted': [perSecond(calls, sender)],
  };
}
