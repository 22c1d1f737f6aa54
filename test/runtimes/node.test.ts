import { pathToFileURL } from 'node:url';
import { suite } from '../suites/index.ts';
import { runSuite, type SuiteEnv } from '../suites/suite.ts';
import { bundleFile } from '../support/bundle.ts';
import { describeSuite } from './describe-suite.ts';

describeSuite('node', async (tell) => {
  const file = await bundleFile('edgespan-node', "export * from 'edgespan/node';");
  const edgespan = (await import(pathToFileURL(file).href)) as SuiteEnv['edgespan'];
  await runSuite(suite, { edgespan, asyncContext: true }, tell);
});
