import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Recent } from '../../src/llm/recent.ts';

const sizes = fc.integer({ min: 1, max: 5 });

it('knows the newest, and those that were asked for again', () => {
  const use = fc.record({ key: fc.nat(12).map(String), isRead: fc.boolean() });
  fc.assert(
    fc.property(sizes, fc.array(use, { maxLength: 60 }), (max, uses) => {
      const recent = new Recent<number>(max);
      const values = new Map<string, number>();
      const known: string[] = [];
      for (const [at, { key, isRead }] of uses.entries()) {
        if (isRead && recent.get(key) === undefined) continue;
        if (!isRead) {
          recent.set(key, at);
          values.set(key, at);
        }
        known.unshift(key);
      }
      for (const key of [...new Set(known)].slice(0, max)) expect(recent.get(key)).toBe(values.get(key));
    }),
  );
});

it('forgets what twice as many have come after', () => {
  fc.assert(
    fc.property(sizes, (max) => {
      const recent = new Recent<number>(max);
      for (let i = 0; i <= 2 * max; i++) recent.set(`${i}`, i);
      expect(recent.get('0')).toBeUndefined();
    }),
  );
});
