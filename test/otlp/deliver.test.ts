import { describe, expect, it } from 'vitest';
import { deliver } from '../../src/otlp/deliver.ts';
import type { OtlpOutcome } from '../../src/otlp/transport.ts';

/** Posts lists of numbers; `answer` says what becomes of each. */
function send(batch: readonly number[], answer: (batch: readonly number[]) => OtlpOutcome, resendUnconfirmed = false) {
  return deliver<readonly number[]>(batch, {
    size: (items) => items.length,
    halve: (items) => {
      const middle = items.length >> 1;
      return items.length < 2 ? undefined : [items.slice(0, middle), items.slice(middle)];
    },
    post: async (items) => answer(items),
    resendUnconfirmed,
  });
}

describe('deliver', () => {
  it.each<[string, OtlpOutcome, object, string | undefined]>([
    ['delivered', { kind: 'delivered', rejected: 0 }, { sent: 3, dropped: {}, returned: [] }, undefined],
    [
      'in part',
      { kind: 'delivered', rejected: 2, message: 'no' },
      { sent: 1, dropped: { rejected: 2 } },
      'export_partial',
    ],
    ['with a warning', { kind: 'delivered', rejected: 0, message: 'hm' }, { sent: 3, dropped: {} }, 'export_partial'],
    [
      'with more rejected than sent',
      { kind: 'delivered', rejected: 9 },
      { sent: 0, dropped: { rejected: 3 } },
      'export_partial',
    ],
    ['refused', { kind: 'refused', status: 400 }, { sent: 0, dropped: { refused: 3 }, returned: [] }, 'export_refused'],
    ['unsent', { kind: 'unsent', reason: 'x' }, { sent: 0, dropped: {}, returned: [[1, 2, 3]] }, 'export_failed'],
    [
      'unconfirmed',
      { kind: 'unconfirmed', reason: 'x' },
      { sent: 0, dropped: { unconfirmed: 3 } },
      'export_unconfirmed',
    ],
  ])('%s', async (_, outcome, delivery, code) => {
    const result = await send([1, 2, 3], () => outcome);
    expect(result).toMatchObject(delivery);
    expect(result.error?.code).toBe(code);
  });

  it('gives back what is unconfirmed and may be sent again', async () => {
    const result = await send([1, 2], () => ({ kind: 'unconfirmed', reason: 'x' }), true);
    expect(result).toMatchObject({ sent: 0, dropped: {}, returned: [[1, 2]] });
  });

  it('halves what is too large until a single item is refused', async () => {
    const posted: string[] = [];
    const result = await send([1, 2, 3, 4, 5], (items) => {
      posted.push(items.join(''));
      return items.includes(4) ? { kind: 'too_large' } : { kind: 'delivered', rejected: 0 };
    });
    expect(posted).toEqual(['12345', '12', '345', '3', '45', '4', '5']);
    expect(result).toMatchObject({
      sent: 4,
      dropped: { too_large: 1 },
      returned: [],
      error: { code: 'export_refused' },
    });
  });

  it('adds up what becomes of the halves', async () => {
    const outcomes: Record<string, OtlpOutcome> = {
      '1234': { kind: 'too_large' },
      '12': { kind: 'delivered', rejected: 1 },
      '34': { kind: 'unsent', reason: 'busy' },
    };
    const result = await send([1, 2, 3, 4], (items) => outcomes[items.join('')]!);
    expect(result).toMatchObject({
      sent: 1,
      dropped: { rejected: 1 },
      returned: [[3, 4]],
      error: { code: 'export_failed' },
    });
  });
});
