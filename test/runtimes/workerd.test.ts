import { Miniflare } from 'miniflare';
import type { SuiteResult } from '../suites/suite.ts';
import { bundle } from '../support/bundle.ts';
import { describeSuite, suiteProgram } from './describe-suite.ts';

/** The last day before `nodejs_compat` is on by itself. */
const compatibilityDate = '2026-08-03';

const serve = `
  export default {
    async fetch() {
      const results = [];
      await run((result) => results.push(result));
      return Response.json(results);
    },
  };
`;

function describeWorkerd(name: string, entry: string, compatibilityFlags: string[]): void {
  describeSuite(name, async (tell) => {
    const script = await bundle(suiteProgram(entry, { asyncContext: entry !== 'edgespan' }, serve), 'workerd');
    const miniflare = new Miniflare({ modules: true, script, compatibilityDate, compatibilityFlags });
    try {
      const response = await miniflare.dispatchFetch('http://localhost/');
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      for (const result of JSON.parse(text) as SuiteResult[]) tell(result);
    } finally {
      await miniflare.dispose();
    }
  });
}

describeWorkerd('workerd without flags', 'edgespan', []);
describeWorkerd('workerd with nodejs_als', 'edgespan/workers', ['nodejs_als']);
describeWorkerd('workerd with nodejs_compat', 'edgespan/workers', ['nodejs_compat']);
