import { Miniflare } from 'miniflare';
import { bundle } from '../support/bundle.ts';
import { tellAnswer } from '../support/results.ts';
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
      await tellAnswer(await miniflare.ready, tell);
    } finally {
      await miniflare.dispose();
    }
  });
}

describeWorkerd('workerd without flags', 'edgespan', []);
describeWorkerd('workerd with nodejs_als', 'edgespan/workers', ['nodejs_als']);
describeWorkerd('workerd with nodejs_compat', 'edgespan/workers', ['nodejs_compat']);
