import { beforeAll, it } from 'vitest';
import type { SuiteResult, Tell } from '../suites/suite.ts';
import type { Child } from './child.ts';

/** A test for each of what runs elsewhere, by its name: red unless `run` tells that it passed. */
export function itPasses(names: readonly string[], run: (tell: Tell) => Promise<void>): void {
  const results = new Map<string, SuiteResult>();
  let failure: unknown;
  beforeAll(async () => {
    // Told by the tests that did not run, which stand by their names.
    await run((result) => results.set(result.name, result)).catch((error: unknown) => {
      failure = error;
    });
  });
  for (const name of names) {
    it(name, () => {
      const result = results.get(name);
      if (!result) throw new Error(`did not run: ${failure ?? 'no result'}`);
      if (result.error !== undefined) throw new Error(result.error);
    });
  }
}

/** What a program prints: a line of JSON for each result. */
export async function tellLines(child: Child, tell: Tell): Promise<void> {
  const { code, signal, stderr } = await child.ended;
  for (const line of child.lines) if (line.startsWith('{')) tell(JSON.parse(line) as SuiteResult);
  if (code !== 0) throw new Error(`it ended with ${signal ?? code}: ${stderr}`);
}

/** What a Worker answers. */
export async function tellAnswer(url: URL, tell: Tell): Promise<void> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  for (const result of JSON.parse(text) as SuiteResult[]) tell(result);
}
