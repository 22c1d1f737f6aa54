import type { Board } from '../dashboard.ts';
import { agentsAndTools } from './agents-and-tools.ts';
import { budgetsAndSlos } from './budgets-and-slos.ts';
import { costAndFirstToken } from './cost-and-first-token.ts';
import { evaluation } from './evaluation.ts';
import { guardrails } from './guardrails.ts';
import { llmPerformance } from './llm-performance.ts';
import { systemHealth } from './system-health.ts';

export const boards: readonly Board[] = [
  llmPerformance,
  agentsAndTools,
  costAndFirstToken,
  evaluation,
  guardrails,
  budgetsAndSlos,
  systemHealth,
];
