import { defaultCaps } from '../metrics/cardinality.ts';
import { type Definitions, ownDefinitions } from './families.ts';
import { type GuardrailRules, guardrailCategories } from './guardrail.ts';

/** How metrics speak: our own way, or that of a system whose dashboards and alerts go on being used. */
export interface MetricDialect {
  readonly namespace: string;
  readonly definitions: Definitions;
  /** Distinct values of a label; labels that are not named have no cap. */
  readonly caps: Readonly<Record<string, number>>;
  /** The system's word for a provider by our short name. */
  provider(name: string, model: string): string;
  /** The system's word for a type of span. */
  spanType(type: string): string;
  /** Stands for the provider or model of a call, and the agent of a tool, that nobody knows. */
  readonly unknown: string;
  /** Only what is above 0 makes a series. */
  readonly positive: boolean;
  readonly guardrails: GuardrailRules;
  /** Labels about the sender, of a collector that many send to: its `definitions` have them, and other families too. */
  readonly senderLabels?: readonly string[];
}

const asIs = (word: string) => word;

/** What all have in common until they say otherwise. */
export const common = {
  caps: {},
  provider: asIs,
  spanType: asIs,
  unknown: 'unknown',
  positive: true,
  guardrails: { categories: guardrailCategories },
};

/** Our own way. */
export function ownDialect(pricingProfile: string | undefined): MetricDialect {
  return {
    ...common,
    namespace: 'llm',
    definitions: ownDefinitions(pricingProfile),
    caps: defaultCaps,
    unknown: '',
    positive: false,
  };
}
