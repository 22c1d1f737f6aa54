/**
 * USD per million tokens. Absent: `cacheRead`, `cacheWrite` and `audioInput` cost as `input`, `cacheWrite1h` as
 * `cacheWrite`, `audioCacheRead` as `cacheRead`, `reasoning` and `audioOutput` as `output`; no `output` means that
 * there is none to pay, as with embeddings.
 */
export interface Rates {
  input: number;
  output?: number;
  cacheRead?: number;
  cacheWrite?: number;
  cacheWrite1h?: number;
  reasoning?: number;
  audioInput?: number;
  audioOutput?: number;
  audioCacheRead?: number;
}

/**
 * What a model costs. `perRequest` and `perWebSearch` are USD each. A tier's rates hold for the whole call once its
 * input exceeds `above` tokens; what a tier leaves out stays as it is. `serviceTiers` are factors on all rates of tokens
 * by the name that the vendor's answer has for how it was served; other names cost what stands here.
 *
 * @example
 * const price: Price = { input: 2.5, cacheRead: 1.25, output: 10, serviceTiers: { flex: 0.5, priority: 2 } };
 */
export interface Price extends Rates {
  perRequest?: number;
  perWebSearch?: number;
  maxOutputTokens?: number;
  tiers?: readonly (Rates & { above: number })[];
  serviceTiers?: Readonly<Record<string, number>>;
}

/**
 * Prices by `model`, or by `provider/model`, which wins. `provider/*` is what all other models of a provider cost, as
 * `ollama/*` does for those that run on one's own machine; `provider/*:tag` those with that tag.
 *
 * @example
 * const prices: PriceTable = { 'acme-1': { input: 1, output: 4 }, 'azure/gpt-4o': { input: 2.75, output: 11 } };
 */
export type PriceTable = Readonly<Record<string, Price>>;

/** A table, or where its JSON is fetched from, once. */
export type PriceSource = PriceTable | URL;

/** USD. `totalUsd` also has what is paid by the request or by the search. */
export interface Cost {
  inputUsd: number;
  outputUsd: number;
  totalUsd: number;
}

export interface CostOptions {
  /** Short name of the provider, for prices that differ by it. */
  provider?: string;
  /**
   * How the call was served, as the vendor's answer says it: `flex`, `priority`; the list price where it is absent or the
   * price doesn't know it. Of several joined by `+`, as `fast+us`, each counts.
   */
  serviceTier?: string | undefined;
  /** Earlier tables win. */
  prices: PriceTable | readonly PriceTable[];
}
