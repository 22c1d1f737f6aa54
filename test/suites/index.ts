import { budgets } from './budgets.ts';
import { evaluation } from './evaluation.ts';
import { flush } from './flush.ts';
import { llm } from './llm.ts';
import { metrics } from './metrics.ts';
import { prometheus } from './prometheus.ts';
import { providers } from './providers.ts';
import { spans } from './spans.ts';
import { stream } from './stream.ts';
import type { Suite } from './suite.ts';
import { values } from './values.ts';
import { wrappers } from './wrappers.ts';

/** What holds on every runtime. */
export const suite: Suite = [
  ...budgets,
  ...spans,
  ...metrics,
  ...flush,
  ...stream,
  ...prometheus,
  ...llm,
  ...providers,
  ...values,
  ...evaluation,
  ...wrappers,
];
