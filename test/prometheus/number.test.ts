import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderBound, renderNumber, renderSeconds } from '../../src/prometheus/number.ts';

describe('renderNumber', () => {
  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [-0, '0'],
    [0, '0'],
    [1, '1'],
    [-2.5, '-2.5'],
    [1_000_000, '1000000'],
    [1e21, '1e+21'],
    [-1e21, '-1e+21'],
    [1e100, '1e+100'],
    [1e-7, '1e-07'],
    [1.5e-300, '1.5e-300'],
  ])('%d is %s', (value, expected) => {
    expect(renderNumber(value)).toBe(expected);
  });

  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(renderNumber(value))).toBe(value + 0);
      }),
    );
  });
});

describe('renderBound', () => {
  it.each([
    [0.005, '0.005', '0.005'],
    [0, '0', '0.0'],
    [1, '1', '1.0'],
    [10, '10', '10.0'],
    [-1, '-1', '-1.0'],
    [100_000, '100000', '100000.0'],
    [1_000_000, '1e+06', '1e+06'],
    [1_048_576, '1.048576e+06', '1.048576e+06'],
    [67_108_864, '6.7108864e+07', '6.7108864e+07'],
    [0.0001, '0.0001', '0.0001'],
    [0.00001, '1e-05', '1e-05'],
    [Number.POSITIVE_INFINITY, '+Inf', '+Inf'],
  ])('%d as Go prints it', (bound, text, openMetrics) => {
    expect([renderBound(bound, false), renderBound(bound, true)]).toEqual([text, openMetrics]);
  });
});

it('renders nanoseconds as seconds', () => {
  expect(renderSeconds(1_700_000_000_123_456_789n)).toBe('1700000000.123');
});
