import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { builtIn } from '../../src/built-in.ts';
import { readItems, readValue } from '../../src/llm/values.ts';

interface Fixture {
  id: string;
  provider: string;
  response: { status: number; body: string; framing: string };
}

const folder = new URL('../../../shared/fixtures/', import.meta.url);
const isThere = existsSync(folder);
const manifest: unknown = isThere ? JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) : [];
const fixtures = (
  Array.isArray(manifest) ? manifest : Object.values(manifest as object).find(Array.isArray)
) as Fixture[];

/** What an SDK would not hand out like this, or what does not say whose it is. */
const unsaid = /^bedrock\/(invoke|mantle)|^vertex\/.*embed/;
const read = ({ response }: Fixture) => readFileSync(new URL(response.body, folder), 'utf8');
const providers = [...builtIn.providers].sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
const wanted = fixtures.filter(({ id, response }) => response.status < 400 && !unsaid.test(id));

describe.skipIf(!isThere)('a recorded reply, as a value without its address', () => {
  const bodies = wanted
    .filter(({ response }) => response.framing === 'json')
    .map((fixture) => [fixture.id, fixture] as const);
  it.each(bodies)('%s is its vendor’s', (_, fixture) => {
    expect(readValue(JSON.parse(read(fixture)), providers)?.provider).toBe(fixture.provider);
  });

  const streams = wanted
    .filter(({ response }) => response.framing.startsWith('sse'))
    .map((fixture) => [fixture.id, fixture] as const);
  it.each(streams)('%s is its vendor’s by its first item', (_, fixture) => {
    const pattern = fixture.response.framing === 'sse' ? /^data: ?(\{.*)$/m : /^(?:data: ?)?(\{.*)$/m;
    const first: unknown = JSON.parse(pattern.exec(read(fixture))![1]!);
    expect(readItems(first, providers)?.result().provider).toBe(fixture.provider);
  });
});
