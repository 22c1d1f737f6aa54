import { beforeAll, describe, it } from 'vitest';
import { suite } from '../suites/index.ts';
import type { SuiteResult } from '../suites/suite.ts';
import { bundleFile } from '../support/bundle.ts';
import { type ServerRuntime, startChild } from '../support/child.ts';

/** Every test of the suite by its name, so that a red one names runtime and test. */
export function describeSuite(runtime: string, run: (tell: (result: SuiteResult) => void) => Promise<void>): void {
  describe(runtime, () => {
    const results = new Map<string, SuiteResult>();
    let failure: unknown;
    beforeAll(async () => {
      // Told by the tests that did not run, which stand by their names.
      await run((result) => results.set(result.name, result)).catch((error: unknown) => {
        failure = error;
      });
    });
    for (const { name } of suite) {
      it(name, () => {
        const result = results.get(name);
        if (!result) throw new Error(`did not run on ${runtime}: ${failure ?? 'no result'}`);
        if (result.error !== undefined) throw new Error(`on ${runtime}: ${result.error}`);
      });
    }
  });
}

/** A program that runs the suite with an entry's exports. */
export function suiteProgram(entry: string, options: { asyncContext: boolean }, tell: string): string {
  return `
    import * as edgespan from '${entry}';
    import { suite } from './test/suites/index.ts';
    import { runSuite } from './test/suites/suite.ts';
    const run = (tell) => runSuite(suite, { edgespan, asyncContext: ${options.asyncContext} }, tell);
    ${tell}
  `;
}

/** The suite in a process of its own: a line of JSON for each result. */
export function describeChild(runtime: ServerRuntime): void {
  describeSuite(runtime, async (tell) => {
    const print = 'await run((result) => console.log(JSON.stringify(result)));';
    const file = await bundleFile(
      `suite-${runtime}`,
      suiteProgram(`edgespan/${runtime}`, { asyncContext: true }, print),
    );
    const child = startChild(runtime, file);
    const { code, signal, stderr } = await child.ended;
    for (const line of child.lines) if (line.startsWith('{')) tell(JSON.parse(line) as SuiteResult);
    if (code !== 0) throw new Error(`it ended with ${signal ?? code}: ${stderr}`);
  });
}
