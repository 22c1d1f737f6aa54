import type { Page } from './bills.ts';

/** Calls that were served in another tier than the standard one. */
export const tierPages: readonly Page[] = [
  {
    // As it was before the tier was renamed.
    url: 'https://openai.com/api-priority-processing/',
    date: '2026-05/2026-07',
    bills: [
      // 4,000 × 12.5 + 6,000 × 1.25 + 1,000 × 75
      ['openai', 'gpt-5.5', { input: 10_000, cacheRead: 6000, output: 1000 }, 132_500, 'priority'],
      // 8,000 × 1.5 + 2,000 × 9
      ['openai', 'gpt-5.4-mini', { input: 8000, output: 2000 }, 30_000, 'priority'],
      // 10,000 × 0.45 + 90,000 × 0.045 + 1,000 × 3.6
      ['openai', 'gpt-5-mini-2025-08-07', { input: 100_000, cacheRead: 90_000, output: 1000 }, 12_150, 'priority'],
      // 20,000 × 3.5 + 10,000 × 0.875 + 1,000 × 14
      ['openai', 'gpt-4.1-2025-04-14', { input: 30_000, cacheRead: 10_000, output: 1000 }, 92_750, 'priority'],
      // 1,000 × 2.5 + 500 × 20, reasoning included
      ['openai', 'gpt-5.1', { input: 1000, output: 500, reasoning: 300 }, 12_500, 'priority'],
    ],
  },
  {
    url: 'https://openai.com/api-fast-mode/',
    date: '2026-09',
    bills: [
      // 10,000 × 8 + 5,000 × 0.8 + 1,000 × 40
      ['openai', 'gpt-5.6-sol', { input: 15_000, cacheRead: 5000, output: 1000 }, 124_000, 'priority'],
      // Long context: 300,000 × 16 + 1,000 × 60
      ['openai', 'gpt-5.6-sol', { input: 300_000, output: 1000 }, 4_860_000, 'priority'],
      // 10,000 × 0.4 + 1,000 × 2.4
      ['openai', 'gpt-5.6-luna', { input: 10_000, output: 1000 }, 6400, 'priority'],
    ],
  },
  {
    url: 'https://developers.openai.com/api/docs/pricing',
    date: '2026-10-12',
    quoted: true,
    bills: [
      // 4,000 × 0.625 + 6,000 × 0.0625 + 1,000 × 5
      ['openai', 'gpt-5', { input: 10_000, cacheRead: 6000, output: 1000 }, 7875, 'flex'],
      // 10,000 × 1 + 1,000 × 4
      ['openai', 'o3-2025-04-16', { input: 10_000, output: 1000 }, 14_000, 'flex'],
      // 600 × 4.25 + 400 × 2.125 + 200 × 17
      ['openai', 'gpt-4o-2024-08-06', { input: 1000, cacheRead: 400, output: 200 }, 6800, 'priority'],
      // 1,000 × 8.75 + 100 × 26.25
      ['openai', 'gpt-4o-2024-05-13', { input: 1000, output: 100 }, 11_375, 'priority'],
      // 10,000 × 0.25 + 1,000 × 1
      ['openai', 'gpt-4o-mini-2024-07-18', { input: 10_000, output: 1000 }, 3500, 'priority'],
      // 10,000 × 2 + 1,000 × 8
      ['openai', 'o4-mini', { input: 10_000, output: 1000 }, 28_000, 'priority'],
      // 10,000 × 20 + 1,000 × 100
      ['openai', 'gpt-6-astra', { input: 10_000, output: 1000 }, 300_000, 'fast'],
      // 1,000 × 60 + 1,000 × 6 + 500 × 300
      ['openai', 'gpt-6-astra', { input: 2000, cacheRead: 1000, output: 500 }, 216_000, 'ultrafast'],
    ],
  },
  {
    url: 'https://ai.google.dev/gemini-api/docs/optimization',
    date: '2026-11',
    bills: [
      // Half of 1.25 and of 10: 10,000 × 0.625 + 1,000 × 5
      ['google', 'gemini-2.5-pro', { input: 10_000, output: 1000 }, 11_250, 'flex'],
    ],
  },
  {
    url: 'https://cloud.google.com/vertex-ai/generative-ai/pricing',
    date: '2026-07-24',
    quoted: true,
    bills: [
      // 10,000 × 3.6 + 1,000 × 21.6
      ['vertex', 'gemini-3.1-pro-preview', { input: 10_000, output: 1000 }, 57_600, 'ON_DEMAND_PRIORITY'],
      // Above 200,000: 300,000 × 7.2 + 1,000 × 32.4
      ['vertex', 'gemini-3.1-pro-preview', { input: 300_000, output: 1000 }, 2_192_400, 'ON_DEMAND_PRIORITY'],
    ],
  },
  {
    url: 'https://docs.cloud.google.com/vertex-ai/generative-ai/docs/flex-paygo',
    date: '2026-11',
    bills: [
      // Half of 2 and of 12: 10,000 × 1 + 1,000 × 6
      ['vertex', 'gemini-3.1-pro-preview', { input: 10_000, output: 1000 }, 16_000, 'ON_DEMAND_FLEX'],
    ],
  },
  {
    url: 'https://platform.claude.com/docs/en/about-claude/pricing',
    date: '2026-10',
    quoted: true,
    bills: [
      // 10,000 × 8 + 2,000 × 40
      ['anthropic', 'claude-opus-5-5', { input: 10_000, output: 2000 }, 160_000, 'fast'],
      // 1.1 of 3 and of 15: 10,000 × 3.3 + 1,000 × 16.5
      ['anthropic', 'claude-sonnet-4-6', { input: 10_000, output: 1000 }, 49_500, 'us'],
      // Both: 1.1 of 160,000
      ['anthropic', 'claude-opus-5-5', { input: 10_000, output: 2000 }, 176_000, 'fast+us'],
      // 10,000 × 0.5 + 1,000 × 2.5
      ['anthropic', 'claude-haiku-4-5', { input: 10_000, output: 1000 }, 7500, 'batch'],
    ],
  },
  {
    url: 'https://platform.claude.com/docs/en/build-with-claude/fast-mode',
    date: '2026-02',
    bills: [
      // 1,000 × 30 + 100 × 150
      ['anthropic', 'claude-opus-4-6', { input: 1000, output: 100 }, 45_000, 'fast'],
    ],
  },
];
