import { describe, expect, it } from 'vitest';
import { readLimit } from '../src/paging.ts';

describe('readLimit', () => {
  it.each([
    [7, 7],
    [7.9, 7],
    [0, 1],
    [-3, 1],
    [1000, 1000],
    [1001, 1000],
    [undefined, 20],
    [Number.NaN, 20],
    [Number.POSITIVE_INFINITY, 20],
  ])('makes %s a page of %s', (limit, entries) => {
    expect(readLimit(limit, 20)).toBe(entries);
  });
});
