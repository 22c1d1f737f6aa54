import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/audit/log.ts';
import type { AuditRecord, AuditStore } from '../../src/audit/record.ts';
import { toPage } from '../../src/audit/record.ts';
import { spanOf } from '../suites/trace-store.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

/** A store whose records a test may spoil. */
function createOpenStore(): AuditStore & { records: AuditRecord[] } {
  const records: AuditRecord[] = [];
  return {
    records,
    async append(record) {
      records.push(record);
    },
    last: async () => records.at(-1),
    query: (query) => toPage(records, query),
    async *read() {
      yield* records;
    },
  };
}

async function chainOf(length: number, signingKey?: CryptoKey) {
  const store = createOpenStore();
  const log = createAuditLog({ store, chain: true, ...(signingKey && { signingKey }) });
  for (let i = 0; i < length; i++) await log.record({ model: `m${i}`, input: 'hello', costUsd: i / 8 });
  return { store, log };
}

const keys = async () => (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;

describe('verify names the first record', () => {
  it('that was altered, whatever of it', async () => {
    const change = fc.constantFrom<Partial<AuditRecord>>(
      { model: 'other' },
      { input: 'hello!' },
      { costUsd: 7 },
      { time: 1 },
      { user: 'eve' },
      { id: 'x' },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(5), change, async (index, part) => {
        const { store, log } = await chainOf(6);
        store.records[index] = { ...store.records[index]!, ...part };
        expect(await log.verify()).toEqual({ ok: false, index, problem: 'altered' });
      }),
      { numRuns: 30 },
    );
  });

  it('that is missing', async () => {
    const { store, log } = await chainOf(6);
    store.records.splice(2, 2);
    expect(await log.verify()).toEqual({ ok: false, index: 2, problem: 'missing' });
    store.records.splice(0, 1);
    expect(await log.verify()).toEqual({ ok: false, index: 0, problem: 'missing' });
  });

  it('that stands elsewhere', async () => {
    const { store, log } = await chainOf(6);
    store.records.splice(1, 2, store.records[2]!, store.records[1]!);
    expect(await log.verify()).toEqual({ ok: false, index: 1, problem: 'reordered' });
    const twice = await chainOf(3);
    twice.store.records.push(twice.store.records[1]!);
    expect(await twice.log.verify()).toEqual({ ok: false, index: 1, problem: 'reordered' });
  });

  it('that was altered and hashed anew', async () => {
    const { store, log } = await chainOf(4);
    const forged = createOpenStore();
    forged.records.push(store.records[0]!);
    await createAuditLog({ store: forged, chain: true }).record({ model: 'forged' });
    store.records[1] = forged.records[1]!;
    expect(await log.verify()).toEqual({ ok: false, index: 1, problem: 'altered' });
  });

  it('that lost its hash', async () => {
    const { store, log } = await chainOf(3);
    const { hash: _, ...rest } = store.records[0]!;
    store.records[0] = rest;
    expect(await log.verify()).toEqual({ ok: false, index: 0, problem: 'altered' });
  });

  it('that is signed by another key, or by none', async () => {
    const [mine, other] = [await keys(), await keys()];
    const { store, log } = await chainOf(3, mine.privateKey);
    expect(await log.verify(mine.publicKey)).toEqual({ ok: true, count: 3 });
    expect(await log.verify(other.publicKey)).toEqual({ ok: false, index: 0, problem: 'signature' });
    // A chain that was forged as a whole has right hashes and no signatures.
    const { signature: _, ...unsigned } = store.records[2]!;
    store.records[2] = unsigned;
    expect(await log.verify()).toEqual({ ok: true, count: 3 });
    expect(await log.verify(mine.publicKey)).toEqual({ ok: false, index: 2, problem: 'signature' });
  });
});

describe('an entry', () => {
  it.each([
    [{ model: '' }, 'model'],
    [{ model: 7 }, 'model'],
    [{ model: 'm', costUsd: Number.NaN }, 'costUsd'],
    [{ model: 'm', latencyMs: -1 }, 'latencyMs'],
    [{ model: 'm', user: {} }, 'user'],
    [{ model: 'm', metadata: { a: {} } }, 'metadata.a'],
    [{ model: 'm', metadata: 'x' }, 'metadata'],
    [{ model: 'm', metadata: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, i])) }, 'metadata'],
  ])('%j is refused by the name of what is wrong', async (entry, field) => {
    const log = createAuditLog();
    await expect(log.record(entry as never)).rejects.toMatchObject({
      code: 'invalid_value',
      message: expect.stringContaining(field),
    });
    expect((await log.query()).records).toEqual([]);
  });

  it('is cut where it is too long', async () => {
    const { input } = await createAuditLog().record({ model: 'm', input: 'x'.repeat(100_000) });
    expect(input).toHaveLength(65_536);
  });

  it('that a store does not take is told to who wrote it', async () => {
    const failing: AuditStore = { ...createOpenStore(), append: () => Promise.reject(new Error('disk full')) };
    await expect(createAuditLog({ store: failing }).record({ model: 'm' })).rejects.toThrow('disk full');
  });

  it('is there once where a store took it and failed to say so', async () => {
    const store = createOpenStore();
    const { append } = store;
    store.append = async (record) => {
      await append(record);
      throw new Error('connection lost');
    };
    const log = createAuditLog({ store, chain: true });
    await log.record({ model: 'a' });
    await log.record({ model: 'b' });
    expect(store.records.map(({ model }) => model)).toEqual(['a', 'b']);
    expect(await log.verify()).toEqual({ ok: true, count: 2 });
  });
});

it('as an exporter writes one entry for each model call, and none for what is around it', async () => {
  const log = createAuditLog({ chain: true });
  const reply = {
    id: 'r1',
    model: 'gpt-4o-2024-08-06',
    choices: [],
    usage: { prompt_tokens: 100, completion_tokens: 10 },
  };
  const telemetry = createAlsTelemetry({
    exporters: [log.exporter],
    capture: { inputs: true, outputs: true },
    fetch: async () => Response.json(reply),
  });
  const ask = () =>
    telemetry
      .fetch('https://api.openai.com/v1/chat/completions', {
        method: 'POST',
        body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'who?' }] }),
      })
      .then((response) => response.text());
  await telemetry.with({ attributes: { 'user.id': 'ada' } }, () =>
    telemetry.agent({ name: 'helper' }, () => telemetry.llm(ask)())(),
  );
  await telemetry.flush();
  const { records } = await log.query();
  expect(records).toMatchObject([
    {
      index: 0,
      user: 'ada',
      provider: 'openai',
      model: 'gpt-4o-2024-08-06',
      costUsd: 0.000_35,
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
      metadata: { operation: 'chat', status: 'ok' },
    },
  ]);
  expect(records[0]?.input).toContain('who?');
  expect(records[0]?.latencyMs).toBeGreaterThanOrEqual(0);
});

it('says that a call failed, also where Langfuse says it by its level', async () => {
  const log = createAuditLog();
  const call = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' };
  await log.exporter([
    spanOf({ trace: 1, span: 1, attributes: call }),
    spanOf({ trace: 1, span: 2, attributes: call, failed: true }),
    spanOf({ trace: 1, span: 3, attributes: { ...call, 'langfuse.observation.level': 'ERROR' } }),
  ]);
  const { records } = await log.query();
  expect(records.map(({ metadata }) => metadata?.status).sort()).toEqual(['error', 'error', 'ok']);
});
