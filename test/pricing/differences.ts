const anthropic =
  'https://platform.claude.com/docs/en/about-claude/pricing: cache reads of Sonnet 5.5 cost 0.05 × input';
const gemini15 =
  'https://ai.google.dev/pricing (2024): Flash-8B costs half of Flash, by whose prefix the source finds it';
const deepseek =
  'https://api-docs.deepseek.com/quick_start/pricing (October 2026): the old names of Flash are billed as Flash';

/**
 * Where a built-in price is not what @pydantic/genai-prices says, and the vendor's page that says it. Nothing else may
 * differ. Neither table knows DeepSeek's peak hours on working days, in which prices double: ours is the price of all
 * other hours.
 */
export const differences: Readonly<Record<string, string>> = {
  'anthropic/claude-sonnet-5-5': anthropic,
  'azure/claude-sonnet-5-5': anthropic,
  'bedrock/amazon.titan-embed-text-v2:0':
    'https://aws.amazon.com/bedrock/pricing/: 0.00002 USD per 1,000 tokens, the first version five times that',
  'bedrock/anthropic.claude-sonnet-5-5': anthropic,
  'bedrock/global.anthropic.claude-sonnet-5-5': anthropic,
  'deepseek/deepseek-v4-flash': deepseek,
  'deepseek/deepseek-v4-flash-vision-exp': deepseek,
  'google/gemini-1.0-pro': 'https://ai.google.dev/pricing (2024): 0.50 and 1.50 USD per million tokens',
  'google/gemini-1.5-flash-8b': gemini15,
  'google/gemini-pro': 'https://ai.google.dev/pricing (2024): the name of Gemini 1.0 Pro',
  'openai/gpt-4o-audio-preview':
    'https://platform.openai.com/docs/models/gpt-4o-audio-preview: audio has its own rates',
  'openai/gpt-4o-mini-audio-preview':
    'https://platform.openai.com/docs/models/gpt-4o-mini-audio-preview: audio has its own rates',
  'vertex/claude-sonnet-5-5': anthropic,
  'vertex/gemini-1.0-pro':
    'https://cloud.google.com/vertex-ai/generative-ai/pricing (2024): 0.125 and 0.375 USD per million characters, of ' +
    'which a token has about four',
  'vertex/gemini-1.5-flash-8b': gemini15,
  'vertex/gemini-pro': 'https://cloud.google.com/vertex-ai/generative-ai/pricing (2024): the name of Gemini 1.0 Pro',
};
