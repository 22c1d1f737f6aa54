import type { LlmUsage } from '../../src/usage.ts';

/** A call, and what the vendor asks for it in USD by the prices of its page: reckoned by hand, in micro-dollars. */
export type Bill = readonly [provider: string, model: string, usage: LlmUsage, microUsd: number, serviceTier?: string];

export interface Page {
  /** Where the prices stand. */
  readonly url: string;
  /** The day of what it said, which is older where it is an archived copy. */
  readonly date: string;
  /** Read where others quote the page on that day, and not on the page itself. */
  readonly quoted?: true;
  readonly bills: readonly Bill[];
}

export const pages: readonly Page[] = [
  {
    url: 'https://platform.claude.com/docs/en/about-claude/pricing',
    date: '2026-10-24',
    bills: [
      // 10,000 × 5 + 2,000 × 25
      ['anthropic', 'claude-opus-4-6', { input: 10_000, output: 2000 }, 100_000],
      // 2,000 × 5 + 50,000 × 0.5 + 1,000 × 25
      ['anthropic', 'claude-opus-4-5-20251101', { input: 52_000, cacheRead: 50_000, output: 1000 }, 60_000],
      // 2,000 × 3 + 8,000 × 3.75 + 500 × 15
      ['anthropic', 'claude-sonnet-4-20250514', { input: 10_000, cacheWrite: 8000, output: 500 }, 43_500],
      // 2,000 × 15 + 6,000 × 18.75 + 4,000 × 30 + 300 × 75
      ['anthropic', 'claude-opus-4-1', { input: 12_000, cacheWrite: 10_000, cacheWrite1h: 4000, output: 300 }, 285_000],
      // 1,200 × 1 + 340 × 5
      ['anthropic', 'claude-haiku-4-5-20251001', { input: 1200, output: 340 }, 2900],
      // 5,000 × 3 + 800 × 15 + 3 searches at 10 USD per 1,000
      ['anthropic', 'claude-sonnet-4-6', { input: 5000, output: 800, webSearches: 3 }, 57_000],
      // 10,000 × 10 + 90,000 × 0.25 + 10,000 × 50
      ['anthropic', 'claude-fable-5-1', { input: 100_000, cacheRead: 90_000, output: 10_000 }, 622_500],
      // 10,000 × 4 + 30,000 × 8 + 2,000 × 20
      [
        'anthropic',
        'claude-opus-5-5',
        { input: 40_000, cacheWrite: 30_000, cacheWrite1h: 30_000, output: 2000 },
        320_000,
      ],
      // Up to 100,000 tokens of prompt: 100,000 × 0.1 + 1,000 × 0.5
      ['anthropic', 'claude-haiku-5-5', { input: 100_000, output: 1000 }, 10_500],
      // Above, all of them: 100,001 × 0.5 + 1,000 × 2.5
      ['anthropic', 'claude-haiku-5-5', { input: 100_001, output: 1000 }, 52_500.5],
      // 20,000 × 2 + 20,000 × 0.1 + 1,000 × 10
      ['anthropic', 'claude-sonnet-5-5', { input: 40_000, cacheRead: 20_000, output: 1000 }, 52_000],
    ],
  },
  {
    url: 'https://docs.anthropic.com/en/docs/about-claude/pricing',
    date: '2025-08',
    bills: [
      // 5,000 × 0.8 + 20,000 × 0.08 + 1,000 × 4
      ['anthropic', 'claude-3-5-haiku-20241022', { input: 25_000, cacheRead: 20_000, output: 1000 }, 9600],
      // 100,000 × 0.25 + 4,096 × 1.25
      ['anthropic', 'claude-3-haiku-20240307', { input: 100_000, output: 4096 }, 30_120],
      // 3,000 × 15 + 1,000 × 75
      ['anthropic', 'claude-3-opus-20240229', { input: 3000, output: 1000 }, 120_000],
    ],
  },
  {
    url: 'https://developers.openai.com/api/docs/pricing',
    date: '2026-05-04',
    quoted: true,
    bills: [
      // 4,000 × 5 + 6,000 × 0.5 + 1,000 × 30
      ['openai', 'gpt-5.5', { input: 10_000, cacheRead: 6000, output: 1000 }, 53_000],
      // 8,000 × 0.75 + 2,000 × 4.5
      ['openai', 'gpt-5.4-mini', { input: 8000, output: 2000 }, 15_000],
      // 600,000 × 0.2 + 400,000 × 0.02 + 10,000 × 1.25
      ['openai', 'gpt-5.4-nano', { input: 1_000_000, cacheRead: 400_000, output: 10_000 }, 140_500],
      // 100,000 × 2.5 + 5,000 × 15
      ['openai', 'gpt-5.4', { input: 100_000, output: 5000, reasoning: 4000 }, 325_000],
    ],
  },
  {
    url: 'https://platform.openai.com/docs/pricing',
    date: '2026-06-21',
    quoted: true,
    bills: [
      // 600 × 2.5 + 400 × 1.25 + 200 × 10
      ['openai', 'gpt-4o-2024-08-06', { input: 1000, cacheRead: 400, output: 200 }, 4000],
      // 30,000 × 2 + 1,000 × 8
      ['openai', 'gpt-4.1-2025-04-14', { input: 30_000, output: 1000 }, 68_000],
      // 1,000 × 20 + 1,000 × 80
      ['openai', 'o3-pro', { input: 1000, output: 1000 }, 100_000],
      // 1,000,000 × 0.02
      ['openai', 'text-embedding-3-small', { input: 1_000_000 }, 20_000],
      // 200 × 2.5 + 1,000 × 40 + 100 × 10 + 500 × 80
      ['openai', 'gpt-4o-audio-preview', { input: 1200, audioInput: 1000, output: 600, audioOutput: 500 }, 81_500],
    ],
  },
  {
    url: 'https://ai.google.dev/gemini-api/docs/pricing',
    date: '2026-09-20',
    quoted: true,
    bills: [
      // Up to 200,000 tokens of prompt: 200,000 × 1.25 + 1,000 × 10
      ['google', 'gemini-2.5-pro', { input: 200_000, output: 1000 }, 260_000],
      // Above: 200,001 × 2.5 + 1,000 × 15
      ['google', 'gemini-2.5-pro', { input: 200_001, output: 1000 }, 515_002.5],
      // 1,000 × 0.3 + 4,000 × 1 + 500 × 2.5, thinking included
      ['google', 'gemini-2.5-flash', { input: 5000, audioInput: 4000, output: 500, reasoning: 200 }, 5550],
      // 250,000 × 4 + 2,000 × 18
      ['google', 'gemini-3.1-pro-preview', { input: 250_000, output: 2000 }, 1_036_000],
      // Through December 2026: 10,000 × 0.75 + 2,000 × 3.75
      ['google', 'gemini-3.8-flash', { input: 10_000, output: 2000 }, 15_000],
      // 30,000 × 0.2
      ['google', 'gemini-embedding-2', { input: 30_000 }, 6000],
    ],
  },
  {
    url: 'https://api-docs.deepseek.com/quick_start/pricing',
    date: '2026-10-27',
    bills: [
      // Off-peak: 200,000 × 0.15 + 800,000 × 0.003 + 100,000 × 0.6
      ['deepseek', 'deepseek-flash', { input: 1_000_000, cacheRead: 800_000, output: 100_000 }, 92_400],
      // Off-peak: 30,000 × 0.66 + 20,000 × 0.022 + 4,000 × 1.98
      ['deepseek', 'deepseek-v4-pro', { input: 50_000, cacheRead: 20_000, output: 4000 }, 28_160],
    ],
  },
  {
    url: 'https://api-docs.deepseek.com/quick_start/pricing-details-usd',
    date: '2025-03',
    bills: [
      // 30,000 × 0.27 + 10,000 × 0.07 + 5,000 × 1.1
      ['deepseek', 'deepseek-chat', { input: 40_000, cacheRead: 10_000, output: 5000 }, 14_300],
      // 10,000 × 0.55 + 20,000 × 0.14 + 8,000 × 2.19
      ['deepseek', 'deepseek-reasoner', { input: 30_000, cacheRead: 20_000, output: 8000, reasoning: 6000 }, 25_820],
    ],
  },
  {
    url: 'https://docs.perplexity.ai/getting-started/pricing',
    date: '2026-11-21',
    bills: [
      // 1,000 × 2 + 7,000 × 8 + 20,000 of reasoning × 3 + 21 searches at 5 USD per 1,000
      [
        'perplexity',
        'sonar-deep-research',
        { input: 1000, output: 27_000, reasoning: 20_000, webSearches: 21 },
        223_000,
      ],
      // 2,000 × 3 + 500 × 15 + a request with much search context at 14 USD per 1,000
      ['perplexity', 'sonar-pro', { input: 2000, output: 500 }, 27_500],
    ],
  },
  {
    url: 'https://docs.x.ai/docs/models',
    date: '2025-06-02',
    bills: [
      // 6,000 × 3 + 4,000 × 0.75 + 2,000 × 15
      ['xai', 'grok-3', { input: 10_000, cacheRead: 4000, output: 2000 }, 51_000],
      // 50,000 × 0.3 + 10,000 × 0.5
      ['xai', 'grok-3-mini', { input: 50_000, output: 10_000, reasoning: 9000 }, 20_000],
      // 8,000 × 2 + 2,000 × 10
      ['xai', 'grok-2-1212', { input: 8000, output: 2000 }, 36_000],
    ],
  },
  {
    url: 'https://developers.cloudflare.com/workers-ai/platform/pricing/',
    date: '2025-02-25',
    bills: [
      // 100,000 × 0.027 + 20,000 × 0.201
      ['cloudflare', '@cf/meta/llama-3.2-1b-instruct', { input: 100_000, output: 20_000 }, 6720],
      // 5,000 × 0.497 + 3,000 × 4.881
      ['cloudflare', '@cf/deepseek-ai/deepseek-r1-distill-qwen-32b', { input: 5000, output: 3000 }, 17_128],
      // 250,000 × 0.204
      ['cloudflare', '@cf/baai/bge-large-en-v1.5', { input: 250_000 }, 51_000],
      // 40,000 × 0.051 + 8,000 × 0.335
      ['cloudflare', '@cf/meta/llama-3.2-3b-instruct', { input: 40_000, output: 8000 }, 4720],
      // 100,000 × 0.045 + 10,000 × 0.384
      ['cloudflare', '@cf/meta/llama-3.1-8b-instruct-fp8-fast', { input: 100_000, output: 10_000 }, 8340],
      // 10,000 × 0.049 + 2,000 × 0.676
      ['cloudflare', '@cf/meta/llama-3.2-11b-vision-instruct', { input: 10_000, output: 2000 }, 1842],
      // 12,000 × 0.293 + 3,000 × 2.253
      ['cloudflare', '@cf/meta/llama-3.3-70b-instruct-fp8-fast', { input: 12_000, output: 3000 }, 10_275],
      // 30,000 × 0.11 + 10,000 × 0.19
      ['cloudflare', '@cf/mistral/mistral-7b-instruct-v0.1', { input: 30_000, output: 10_000 }, 5200],
      // 1,000 × 0.282 + 1,000 × 0.827
      ['cloudflare', '@cf/meta/llama-3.1-8b-instruct', { input: 1000, output: 1000 }, 1109],
      // 10,000 × 0.152 + 10,000 × 0.287
      ['cloudflare', '@cf/meta/llama-3.1-8b-instruct-fp8', { input: 10_000, output: 10_000 }, 4390],
      // 10,000 × 0.123 + 5,000 × 0.266
      ['cloudflare', '@cf/meta/llama-3-8b-instruct-awq', { input: 10_000, output: 5000 }, 2560],
      // 9,000 × 0.556 + 1,000 × 6.667
      ['cloudflare', '@cf/meta/llama-2-7b-chat-fp16', { input: 9000, output: 1000 }, 11_671],
      // 500,000 × 0.02
      ['cloudflare', '@cf/baai/bge-small-en-v1.5', { input: 500_000 }, 10_000],
      // 1,000 × 0.067
      ['cloudflare', '@cf/baai/bge-base-en-v1.5', { input: 1000 }, 67],
      // 2,000 × 0.342 + 2,500 × 0.342
      ['cloudflare', '@cf/meta/m2m100-1.2b', { input: 2000, output: 2500 }, 1539],
    ],
  },
  {
    url: 'https://docs.fireworks.ai/serverless/pricing',
    date: '2026-05',
    bills: [
      // 8,000 × 0.95 + 12,000 × 0.16 + 3,000 × 4
      ['fireworks', 'accounts/fireworks/models/kimi-k2p6', { input: 20_000, cacheRead: 12_000, output: 3000 }, 21_520],
      // 5,000 × 2.8 + 5,000 × 0.52 + 2,000 × 8.8
      [
        'fireworks',
        'accounts/fireworks/routers/glm-5p1-fast',
        { input: 10_000, cacheRead: 5000, output: 2000 },
        34_200,
      ],
    ],
  },
  {
    url: 'https://cohere.com/pricing',
    date: '2026-05-04',
    quoted: true,
    bills: [
      // 4,000 × 2.5 + 500 × 10
      ['cohere', 'command-r-plus-08-2024', { input: 4000, output: 500 }, 15_000],
      // 2,000 × 0.5 + 1,000 × 1.5
      ['cohere', 'c4ai-aya-expanse-32b', { input: 2000, output: 1000 }, 2500],
    ],
  },
  {
    url: 'https://groq.com/pricing',
    date: '2026-06-04',
    quoted: true,
    bills: [
      // 5,000 × 0.15 + 5,000 × 0.075 + 2,000 × 0.6
      ['groq', 'openai/gpt-oss-120b', { input: 10_000, cacheRead: 5000, output: 2000 }, 2325],
      // 100,000 × 0.05 + 10,000 × 0.08
      ['groq', 'llama-3.1-8b-instant', { input: 100_000, output: 10_000 }, 5800],
    ],
  },
  {
    url: 'https://azure.microsoft.com/pricing/details/cognitive-services/openai-service/',
    date: '2026-06',
    quoted: true,
    bills: [
      // 6,000 × 0.4 + 4,000 × 0.1 + 1,000 × 1.6
      ['azure', 'gpt-4.1-mini-2025-04-14', { input: 10_000, cacheRead: 4000, output: 1000 }, 4400],
    ],
  },
  {
    url: 'https://aws.amazon.com/bedrock/pricing/',
    date: '2026-04-10',
    quoted: true,
    bills: [
      // 10,000 × 0.8 + 1,000 × 3.2
      ['bedrock', 'us.amazon.nova-pro-v1:0', { input: 10_000, output: 1000 }, 11_200],
      // 10,000 × 3 + 1,000 × 15
      ['bedrock', 'us.anthropic.claude-3-5-sonnet-20241022-v2:0', { input: 10_000, output: 1000 }, 45_000],
    ],
  },
  {
    url: 'https://mistral.ai/pricing',
    date: '2026-06',
    quoted: true,
    bills: [
      // 4,000 × 2 + 2,000 × 5
      ['mistral', 'magistral-medium-2509', { input: 4000, output: 2000, reasoning: 1500 }, 18_000],
    ],
  },
];
