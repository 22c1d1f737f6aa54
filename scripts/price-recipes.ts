import type { PriceTable } from '../src/pricing/price.ts';
import { published } from './published-prices.ts';
import { publishedTiers, type ServiceTiers } from './published-tiers.ts';

/** How a provider's table is made: its name here, what it takes from the source, and what the source lacks. */
export interface Recipe {
  readonly name: string;
  /** The provider in the source, others whose models it serves, and which of them all, by id. */
  readonly source?: { readonly id: string; readonly also?: readonly string[]; readonly only?: RegExp };
  /** The ids are the vendor's own, and price a model wherever it is named alone. */
  readonly bare?: boolean;
  /** Ids that are none, or cost by image, hour or in tokens that our usage does not tell apart. */
  readonly skip?: RegExp;
  readonly rename?: (id: string) => string;
  /** Prices that the source lacks or has otherwise than the vendor. */
  readonly extra?: PriceTable;
  readonly serviceTiers?: ServiceTiers;
}

/** Priced by image, hour or character, or in a session that is no HTTP call. */
const notText =
  /image|realtime|live|audio-preview|native-audio|transcribe|tts|whisper|voice|sonic|moderation|omni-flash/;

/** Weights that OpenAI publishes and does not serve, spellings of other hosts, and parts of ids. */
const openaiSkip = union(
  notText,
  /^gpt-oss|^gpt-5-\d|:extended|\.ft/,
  /-2024$|^ft:gpt-4-0$|-mini-audio$|^computer-use$/,
);

const geminiElsewhere = /^gemini-(pro|flash)-1|-0$|:thinking/;

const claudeElsewhere = /^claude-[45]|^claude-.*\d\.\d|^claude-sonnet-3|^claude-v\d|-2025$|^anthropic\//;

/** Claudes that Vertex AI has never had, and names that it spells otherwise. */
const vertexSkip = /^claude-(2|instant|mythos)|^claude-.*-20\d{6}$/;

/** What Azure does not sell by the token, or not any more. */
const azureSkip = /:free$|^ft:|^claude-[23]|-high$|^o\d-preview|davinci|babbage|curie|ada$|-001$|^o4-mini-deep/;

/** Authors whose models OpenRouter's table has. It reports each call's cost: the table is for what comes before it. */
const openrouterAuthors =
  /^(openai|anthropic|google|x-ai|deepseek|mistralai|meta-llama|qwen|moonshotai|z-ai|minimax)\//;

function union(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'));
}

const tables: readonly Recipe[] = [
  { name: 'openai', source: { id: 'openai' }, bare: true, skip: openaiSkip },
  { name: 'anthropic', source: { id: 'anthropic' }, bare: true, skip: /-2025$/ },
  { name: 'google', source: { id: 'google', only: /^gem/ }, bare: true, skip: union(notText, geminiElsewhere) },
  {
    name: 'vertex',
    source: { id: 'google', also: ['anthropic'] },
    skip: union(notText, geminiElsewhere, claudeElsewhere, vertexSkip),
  },
  {
    name: 'bedrock',
    source: { id: 'aws' },
    skip: union(notText, /^titan/),
    // One key for all versions and regions; where the whole world serves costs less for some.
    rename: (id) =>
      id
        .replace(/^(regional|us|eu|jp)\./, '')
        .replace(/(-v\d+)?(:\d+)?$/, '')
        .replace(/-20\d{6}$/, ''),
  },
  {
    name: 'azure',
    source: { id: 'azure', also: ['openai', 'anthropic'] },
    skip: union(openaiSkip, claudeElsewhere, azureSkip),
  },
  { name: 'mistral', source: { id: 'mistral' }, bare: true, skip: notText },
  { name: 'cohere', source: { id: 'cohere' }, bare: true },
  { name: 'groq', source: { id: 'groq' }, skip: notText },
  { name: 'xai', source: { id: 'x-ai' }, bare: true, skip: /voice|^x-ai/ },
  { name: 'deepseek', source: { id: 'deepseek' }, bare: true },
  { name: 'perplexity', source: { id: 'perplexity' }, bare: true },
  { name: 'together', source: { id: 'together' } },
  {
    name: 'fireworks',
    source: { id: 'fireworks' },
    rename: (id) => id.replace(/^accounts\/fireworks\/(models|routers)\//, ''),
  },
  { name: 'cerebras', source: { id: 'cerebras' }, skip: /^cerebras/ },
  {
    name: 'openrouter',
    source: { id: 'openrouter', only: openrouterAuthors },
    skip: union(notText, /:|20\d\d|-\d{4}$/),
  },
  { name: 'ollama' },
  { name: 'cloudflare', source: { id: 'cloudflare' } },
];

export const recipes: readonly Recipe[] = tables.map((recipe) => {
  const { [recipe.name]: extra } = published;
  const { [recipe.name]: serviceTiers } = publishedTiers;
  return { ...recipe, ...(extra && { extra }), ...(serviceTiers && { serviceTiers }) };
});
