import { describe, expect, it } from 'vitest';
import { countDocuments } from '../../src/llm/documents.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';

const doc = { page_content: 'x' };

describe('documents are counted by shape', () => {
  it.each<[string, unknown, number | undefined]>([
    ['a list', [doc, doc], 2],
    ['an empty list', [], 0],
    [
      'documents with their scores',
      [
        [doc, 0.1],
        [doc, 0.2],
        [doc, 0.3],
      ],
      3,
    ],
    ['documents', { documents: [doc, doc, doc] }, 3],
    ['answers to two questions', { documents: [['a', 'b'], ['c']] }, 3],
    ['results', { results: [1] }, 1],
    ['matches', { matches: [{ id: 'a' }, { id: 'b' }], count: 9 }, 2],
    ['a search engine’s hits', { hits: { total: 900, hits: [1, 2] } }, 2],
    ['data', { data: [1, 2] }, 2],
    ['documents inside of data', { data: { documents: [1] } }, 1],
    ['one document', doc, 1],
    ['one document of LangChain’s', { pageContent: '', metadata: {} }, 1],
    ['an answer with its sources', { text: 'x', source_documents: [doc] }, 1],
    ['a text', 'documents', undefined],
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['a number', 5, undefined],
    ['another object', { total: 5, documents: 'none' }, undefined],
  ])('%s', (_, value, count) => {
    expect(countDocuments(value)).toBe(count);
  });

  it('of what contains itself, or throws when it is looked at', () => {
    const loop: Record<string, unknown> = {};
    loop.data = loop;
    expect(countDocuments(loop)).toBeUndefined();
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(countDocuments(trap)).toBeUndefined();
  });
});

describe('a retrieval', () => {
  const countOf = async (options: { count?: (result: unknown) => number | undefined }, result: unknown) => {
    const telemetry = createAlsTelemetry({ onError: () => {} });
    await telemetry.retrieval({ name: 'docs', ...options }, async () => result)();
    return telemetry.spans[0]!.attributes.retrieved_documents_count;
  };

  it('says how many it found', async () => {
    expect(await countOf({}, { matches: [1, 2] })).toBe(2);
    expect(await countOf({}, 'nobody knows')).toBeUndefined();
  });

  it('believes the extractor before the shape, unless that knows nothing', async () => {
    expect(await countOf({ count: () => 7 }, [1])).toBe(7);
    expect(await countOf({ count: () => 0 }, [1])).toBe(0);
    for (const count of [undefined, Number.NaN, -1, 1.5, '3']) {
      expect(await countOf({ count: () => count as number }, [1])).toBe(1);
    }
    const fails = () => {
      throw new Error('no');
    };
    expect(await countOf({ count: fails }, [1, 2])).toBe(2);
  });

  it('that failed found nothing, which is not zero', async () => {
    const telemetry = createAlsTelemetry();
    const fail = telemetry.retrieval({ name: 'docs' }, async () => {
      throw new Error('no');
    });
    await fail().catch(() => {});
    expect(telemetry.spans[0]!.attributes).not.toHaveProperty('retrieved_documents_count');
    await telemetry.tool({ name: 't' }, async () => [1])();
    expect(telemetry.spans[1]!.attributes).not.toHaveProperty('retrieved_documents_count');
  });
});
