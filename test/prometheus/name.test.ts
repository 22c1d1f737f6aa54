import { describe, expect, it } from 'vitest';
import type { MetricFamily } from '../../src/metrics/snapshot.ts';
import { exposedName, labelName } from '../../src/prometheus/name.ts';
import { unitSuffix } from '../../src/prometheus/unit.ts';

function classic(type: MetricFamily['type'], name: string, unit?: string, additive?: boolean) {
  return exposedName({ name, type, ...(unit && { unit }), ...(additive && { additive }) }, 'underscores').name;
}

describe('exposedName', () => {
  it.each([
    ['counter', 'foo.bar', 'By', 'foo_bar_bytes_total'],
    ['counter', 'requests_total', undefined, 'requests_total'],
    ['counter', 'read_bytes_total', 'By', 'read_bytes_total'],
    ['counter', 'llm_cost_usd_total', undefined, 'llm_cost_usd_total'],
    ['histogram', 'gen_ai.client.operation.duration', 's', 'gen_ai_client_operation_duration_seconds'],
    ['gauge', 'latency.seconds', 's', 'latency_seconds'],
    ['gauge', 'seconds', 's', 'seconds'],
    ['gauge', 'milliseconds', 's', 'milliseconds_seconds'],
    ['histogram', 'gen_ai.client.token.usage', '{token}', 'gen_ai_client_token_usage'],
    ['gauge', 'speed', 'm/s', 'speed_meters_per_second'],
    ['gauge', 'fill', '1', 'fill_ratio'],
    ['counter', 'calls', '1', 'calls_total'],
    ['counter', '_total', undefined, '_total_total'],
    ['counter', '.total', undefined, '_total_total'],
    ['gauge', 'a b//c', undefined, 'a_b_c'],
    ['gauge', '1st', undefined, '_1st'],
    ['gauge', 'job:rate', undefined, 'job:rate'],
    ['gauge', 'größe', undefined, 'gr_e'],
  ] as const)('%s %s of unit %s is %s', (type, name, unit, expected) => {
    expect(classic(type, name, unit)).toBe(expected);
  });

  it('gives an up-down counter of unit 1 no ratio', () => {
    expect(classic('gauge', 'active', '1', true)).toBe('active');
  });

  it.each([
    ['values', 'metric.name', 'U__metric_2e_name'],
    ['values', 'a_b', 'a_b'],
    ['values', 'a_b.c', 'U__a__b_2e_c'],
    ['values', '1x', 'U___31_x'],
    ['values', 'µ', 'U___b5_'],
    ['values', '😀', 'U___1f600_'],
    ['dots', 'a.b_c', 'a_dot_b__c'],
    ['dots', 'a-b', 'a__b'],
    ['dots', '1x', '__x'],
    ['allow-utf-8', 'metric.name', 'metric.name'],
    ['underscores', 'metric.name', 'metric_name'],
  ] as const)('escapes by %s: %s is %s', (escaping, name, expected) => {
    expect(exposedName({ name, type: 'gauge' }, escaping).name).toBe(expected);
  });

  it('keeps the suffixes under every escaping', () => {
    const family = { name: 'foo.bar', type: 'counter', unit: 'By' } as const;
    expect(exposedName(family, 'allow-utf-8').name).toBe('foo.bar_bytes_total');
    expect(exposedName(family, 'values').name).toBe('U__foo_2e_bar__bytes__total');
    expect(exposedName({ name: 'latency.seconds', type: 'gauge', unit: 's' }, 'allow-utf-8').name).toBe(
      'latency.seconds',
    );
  });
});

describe('labelName', () => {
  it.each([
    ['underscores', 'a.b', 'a_b'],
    ['underscores', 'a..b', 'a_b'],
    ['underscores', 'a:b', 'a_b'],
    ['underscores', '1a', 'key_1a'],
    ['allow-utf-8', 'a.b', 'a.b'],
    ['values', 'a.b', 'U__a_2e_b'],
    ['values', 'a:b', 'U__a_3a_b'],
    ['dots', 'a.b', 'a_dot_b'],
  ] as const)('by %s: %s is %s', (escaping, name, expected) => {
    expect(labelName(name, escaping)).toBe(expected);
  });
});

describe('unitSuffix', () => {
  it.each([
    ['', ''],
    ['s', 'seconds'],
    ['ms', 'milliseconds'],
    ['KiBy', 'kibibytes'],
    ['kBy', 'kilobytes'],
    ['Cel', 'celsius'],
    ['%', 'percent'],
    ['{token}', ''],
    ['{token}/s', 'per_second'],
    ['1/min', 'per_minute'],
    ['By/h', 'bytes_per_hour'],
    ['USD', 'USD'],
    ['__proto__', 'proto'],
  ])('%j is %j', (unit, expected) => {
    expect(unitSuffix(unit)).toBe(expected);
  });
});
