import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Recent } from '../src/recent.ts';

it('knows at least the newest, and never more than twice as many', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(20), { maxLength: 60 }), (max, keys) => {
      const recent = new Recent<number>(max);
      const newest: number[] = [];
      for (const [at, key] of keys.entries()) {
        recent.set(`${key}`, at);
        newest.push(key);
        const distinct = [...new Set(newest.toReversed())].slice(0, max);
        for (const each of distinct) expect(recent.get(`${each}`)).toBe(newest.lastIndexOf(each));
        // What was asked for has become new, in this order.
        newest.push(...distinct);
        newest.splice(0, newest.length, ...newest.map((each) => each));
      }
    }),
  );
});
