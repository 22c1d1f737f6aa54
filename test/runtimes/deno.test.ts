import { describeChild } from './describe-suite.ts';

describeChild('deno');
