/** What a service tier costs of the list price, by the name that the vendor's answer has for it. */
export type Factors = Readonly<Record<string, number>>;

/** Factors of all models of a provider, and of those that differ, by id: the first that fits holds. */
export interface ServiceTiers {
  readonly all: Factors;
  readonly some?: readonly (readonly [RegExp, Factors])[];
}

/** GPT-5.6 answers `priority`, GPT-6 `fast`: https://docs.litellm.ai/docs/providers/openai/ultrafast, 2026-10-06. */
const fast = (factor: number): Factors => ({ priority: factor, fast: factor });

const gemini = { flex: 0.5, priority: 1.8 };

/**
 * Factors that vendors have published, each with the vendor's page. They are the same for input, output and what is
 * cached, but for cents that a page rounds. A tier that a vendor does not offer for a model is in no answer of it.
 */
export const publishedTiers: Readonly<Record<string, ServiceTiers>> = {
  // Flex: https://developers.openai.com/api/docs/guides/flex-processing, priced as batches are, at half of the list price.
  // Priority, which is Fast mode since 2026-07-30: https://openai.com/api-priority-processing/,
  // https://openai.com/api-fast-mode/, and https://developers.openai.com/api/docs/pricing of 2026-10-12 as
  // genai-prices 0.2.3 quotes it. Ultrafast: https://developers.openai.com/api/docs/guides/ultrafast-mode and the
  // pricing page, 60, 6, 75 and 300 USD as https://apidog.com/blog/openai-ultrafast-mode/ quotes it in October 2026.
  openai: {
    all: { flex: 0.5, ...fast(2) },
    some: [
      [/^gpt-4\.1(-mini)?$|^o3$|^gpt-4o-2024-05-13$/, fast(1.75)],
      [/^gpt-4o$/, fast(1.7)],
      // 0.25 USD in the place of 0.15, and 2 in that of 1.1.
      [/^gpt-4o-mini(-search-preview)?$/, fast(0.25 / 0.15)],
      [/^o4-mini(-high)?$/, fast(2 / 1.1)],
      [/^gpt-5-mini$/, fast(1.8)],
      [/^gpt-5\.5(-chat|-codex)?$/, fast(2.5)],
      [/^gpt-6-astra$/, { ultrafast: 6 }],
    ],
  },
  // https://platform.claude.com/docs/en/about-claude/pricing, 2026-11: batches cost half, inference in the US alone 1.1 of
  // the price (`inference_geo`; https://docs.aws.amazon.com/claude-platform/latest/userguide/data-residency.html says the
  // same), fast mode (`speed`) twice of it. Claude Opus 4.6 and 4.7 had it at six times:
  // https://platform.claude.com/docs/en/build-with-claude/fast-mode, 2026-02.
  anthropic: {
    all: { batch: 0.5, us: 1.1, fast: 2 },
    some: [[/^claude-(opus-4[-.][67]|4[-.][67]-opus)$/, { fast: 6 }]],
  },
  // https://ai.google.dev/gemini-api/docs/optimization: half of the list price, and 75 to 100 % more than it. By model the
  // pricing page has 1.8 of it, as genai-prices quotes it on 2026-08-13 and 2026-10-15.
  google: { all: gemini },
  // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/flex-paygo: half of the list price. Priority:
  // https://cloud.google.com/vertex-ai/generative-ai/pricing as LiteLLM quotes it on 2026-07-24. Requests say `flex` and
  // `priority`, answers the words of `trafficType`.
  vertex: { all: { ...gemini, ON_DEMAND_FLEX: gemini.flex, ON_DEMAND_PRIORITY: gemini.priority } },
};
