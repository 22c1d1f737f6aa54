import { describe } from 'vitest';
import { suite } from '../suites/index.ts';
import type { Tell } from '../suites/suite.ts';
import { bundleFile } from '../support/bundle.ts';
import { type ServerRuntime, startChild } from '../support/child.ts';
import { itPasses, tellLines } from '../support/results.ts';

/** Every test of the suite by its name, so that a red one names runtime and test. */
export function describeSuite(runtime: string, run: (tell: Tell) => Promise<void>): void {
  const names = suite.map(({ name }) => name);
  describe(runtime, () => itPasses(names, run));
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
    await tellLines(startChild(runtime, file), tell);
  });
}
