import { beforeAll, describe, expect, it } from 'vitest';
import { isInstalled, remedy } from '../clients/installed.ts';
import { ensureBuilt } from '../support/build.ts';
import { createConsumer, listPrograms, readProgram, runNode } from './consumer.ts';

/** Runs it as its user does. */
function test(text: string) {
  const folder = createConsumer({ 'user.test.ts': text });
  return runNode('vitest/vitest.mjs', ['run', '--globals', '--root', folder], folder);
}

describe.skipIf(!isInstalled('openai'))(`a user's test (${remedy})`, () => {
  beforeAll(() => ensureBuilt({ types: false }));

  it.each(listPrograms('priced-call.ts', 'e-test.ts'))('%s passes under vitest', async (_name, text) => {
    const { code, output } = await test(text);
    expect(output).toMatch(/Tests +1 passed \(1\)/);
    expect(code).toBe(0);
  });

  it('fails where the price is another', async () => {
    const { code, output } = await test(readProgram('priced-call.ts').replaceAll('0.000075', '0.000076'));
    expect(output).toMatch(/Tests +1 failed \(1\)/);
    expect(code).toBe(1);
  });
});
