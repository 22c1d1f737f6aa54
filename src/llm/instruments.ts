import type { Attributes } from '@opentelemetry/api';
import type { TraceRef } from '../metrics/instrument.ts';
import type { NumberInstrument } from '../metrics/number.ts';
import type { Registry } from '../metrics/registry.ts';
import type { Cost } from '../pricing/price.ts';
import type { ErrorClass } from './error-class.ts';
import { createEvaluationMetrics, type EvaluationMetrics } from './evaluation/metrics.ts';
import { type FamilyKey, nameFamilies } from './families.ts';
import type { AgentFrame } from './frame.ts';
import { createGuardrailMetrics, type Verdict } from './guardrail.ts';
import { createLabels, type FixedLabels, type MetricLabels } from './labels.ts';
import type { MetricDialect } from './metric-dialect.ts';
import type { CacheHit, LlmUsage } from './provider.ts';
import { operationLabel, type SemconvNames } from './semconv.ts';
import { createSemconvMetrics, type SemconvMetrics } from './semconv-metrics.ts';

/** Everything that metrics say about one model call, as plain data. */
export interface CallOutcome {
  readonly provider: string;
  readonly model: string;
  /** `chat`, `stream`, `embed` or what a user named. */
  readonly operation: string;
  readonly agent: string;
  readonly error: ErrorClass | undefined;
  readonly aborted: boolean;
  readonly seconds: number;
  /** Until the first token of a stream. */
  readonly firstTokenSeconds: number | undefined;
  readonly usage: LlmUsage | undefined;
  readonly cost: Cost | undefined;
  /** What the application's or a gateway's response cache said. */
  readonly cacheHit: CacheHit | undefined;
  readonly toolNames: readonly string[];
  /** What a guardrail or a content filter did. */
  readonly verdict: Verdict | undefined;
  /** What the GenAI conventions put on their metrics, `error.type` left out. */
  readonly attributes: Attributes;
  readonly errorType: string | undefined;
  /** The sampled span, for exemplars. */
  readonly trace: TraceRef | null;
  /** The call was counted with an earlier attempt: only what that did not know yet is new. */
  readonly counted: boolean;
}

/** An agent, tool, retrieval or other span that is no model call. */
export interface WorkOutcome {
  readonly type: string;
  readonly seconds: number;
  readonly agent: string;
  readonly error: ErrorClass | undefined;
  /** The conventions' `error.type`. */
  readonly errorType?: string | undefined;
  readonly tool?: string;
  /** What an agent did itself, where that was seen. */
  readonly calls?: Pick<AgentFrame, 'inferenceCalls' | 'toolCalls'> | undefined;
  /** Whom the agent around has asked last; empty where nobody was. */
  readonly provider: string;
  readonly model: string;
  readonly semconvProvider?: string | undefined;
  readonly trace: TraceRef | null;
}

/** Of the call that a verdict is about. */
export interface VerdictLabels {
  readonly provider: string;
  readonly model: string;
  readonly agent: string;
}

/** The metric families of model calls, agents and tools, and how an outcome is written to them. */
export interface LlmInstruments {
  call(outcome: CallOutcome): void;
  chunk: SemconvMetrics['chunk'];
  span(done: WorkOutcome): void;
  guardrail(verdict: Verdict, labels: VerdictLabels, trace: TraceRef | null): void;
  readonly evaluation: EvaluationMetrics;
  parseError(provider: string): void;
  cacheLookup(type: 'exact' | 'semantic', hit: boolean, agent: string): void;
  costAlert(provider: string, model: string, agent: string): void;
}

export interface InstrumentsOptions {
  readonly dialect: MetricDialect;
  /** Replaces the dialect's. */
  readonly namespace?: string | undefined;
  readonly buckets: Readonly<Record<string, readonly number[]>>;
  readonly labels: FixedLabels;
}

/** Without names of the GenAI conventions none of their families is counted. */
export function createLlmInstruments(
  registry: Registry,
  semconv: SemconvNames | undefined,
  { dialect, namespace = dialect.namespace, buckets, labels: fixed }: InstrumentsOptions,
): LlmInstruments {
  const table = nameFamilies(dialect.definitions, { namespace, buckets });
  const { unknown, senderLabels } = dialect;
  const isWorth = (amount: number) => amount > 0 || !dialect.positive;

  /** A family that the dialect lacks records nothing. */
  const number = (type: 'counter' | 'gauge') => (key: FamilyKey) => {
    const family = table[key];
    return family && registry.define(family.name, type, family.labels, family);
  };
  const counter = number('counter');
  function histogram(key: FamilyKey) {
    const family = table[key];
    return family && registry.defineHistogram(family.name, family.labels, family);
  }

  const spans = counter('spans');
  const requests = counter('requests');
  const duration = histogram('duration');
  const firstToken = histogram('firstToken');
  const perToken = histogram('perToken');
  const tokens = counter('tokens');
  const inputTokens = counter('inputTokens');
  const outputTokens = counter('outputTokens');
  const allTokens = counter('allTokens');
  const details = counter('details');
  const perRequest = histogram('perRequest');
  const dollars = counter('dollars');
  const dollarsPerRequest = histogram('dollarsPerRequest');
  const unpriced = counter('unpriced');
  const cacheHits = counter('cacheHits');
  const cacheMisses = counter('cacheMisses');
  const costAlerts = counter('costAlerts');
  const toolCalls = counter('toolCalls');
  const aborted = counter('aborted');
  const errors = counter('errors');
  const spanSeconds = histogram('spanSeconds');
  const toolRuns = counter('toolRuns');
  const retrievals = counter('retrievals');
  const guardrail = createGuardrailMetrics(
    counter('guardrailRequests'),
    counter('guardrailViolations'),
    dialect.guardrails,
    unknown,
  );
  const parseErrors = registry.define('edgespan_parse_errors_total', 'counter', ['provider', ...(senderLabels ?? [])], {
    help: 'Replies that could not be read.',
  });
  const about: Readonly<Record<string, string>> = createLabels(fixed, '', '', '');
  const sender = senderLabels && Object.fromEntries(senderLabels.map((name) => [name, about[name]]));
  const standard = semconv && createSemconvMetrics(registry, semconv, buckets, sender);

  const gauge = number('gauge');
  const evaluation = createEvaluationMetrics({ counter, gauge, histogram, labels: labelsOf });

  function labelsOf(provider: string, model: string, agent: string): MetricLabels {
    return createLabels(fixed, dialect.provider(provider, model), model, agent);
  }
  function callLabels({ provider, model, agent }: VerdictLabels): MetricLabels {
    return labelsOf(provider || unknown, model || unknown, agent);
  }

  function lookUp(type: 'exact' | 'semantic', hit: boolean, labels: MetricLabels): void {
    labels.cache_type = type;
    (hit ? cacheHits : cacheMisses)?.add(1, labels);
  }

  function usage(used: LlmUsage, labels: MetricLabels, trace: TraceRef | null): void {
    const { input, output, total } = used;
    const sum = (input ?? 0) + (output ?? 0);
    const add = (to: NumberInstrument | undefined, type: string, count: number | undefined) => {
      if (!to || count === undefined || !isWorth(count)) return;
      labels.token_type = type;
      to.add(count, labels, trace);
    };
    add(tokens, 'input', input);
    add(tokens, 'output', output);
    add(inputTokens, 'input', input);
    add(outputTokens, 'output', output);
    add(details, 'cache_read', used.cacheRead || undefined);
    add(details, 'cache_write', used.cacheWrite || undefined);
    add(details, 'reasoning', used.reasoning || undefined);
    const isKnown = input !== undefined || output !== undefined;
    if (isKnown && isWorth(sum)) perRequest?.record(sum, labels, trace);
    if (isKnown || total !== undefined) allTokens?.add(total ?? sum, labels, trace);
  }

  function timing({ seconds, firstTokenSeconds, trace, usage }: CallOutcome, labels: MetricLabels): void {
    if (firstTokenSeconds === undefined) return;
    firstToken?.record(firstTokenSeconds, labels, trace);
    const after = (usage?.output ?? 0) - 1;
    // The clock may have stood still, as it does on Workers: then there is no rate to tell.
    if (after > 0 && seconds > firstTokenSeconds)
      perToken?.record((seconds - firstTokenSeconds) / after, labels, trace);
  }

  function count({ operation, error, seconds, aborted: left, trace }: CallOutcome, labels: MetricLabels): void {
    labels.operation = operationLabel(operation);
    labels.span_type = 'llm';
    countSpan(error, labels, trace);
    labels.status = error ? 'error' : 'ok';
    requests?.add(1, labels, trace);
    duration?.record(seconds, labels, trace);
    if (left) aborted?.add(1, labels, trace);
  }

  function countSpan(error: ErrorClass | undefined, labels: MetricLabels, trace: TraceRef | null): void {
    labels.status = error ? 'ERROR' : 'OK';
    spans?.add(1, labels, trace);
    if (!error) return;
    labels.error_type = error;
    errors?.add(1, labels, trace);
  }

  return {
    call(outcome) {
      const { trace, cost } = outcome;
      const labels = callLabels(outcome);
      if (!outcome.counted) count(outcome, labels);
      timing(outcome, labels);
      if (outcome.usage) usage(outcome.usage, labels, trace);
      standard?.call(outcome);
      if (!cost) {
        if (outcome.usage) unpriced?.add(1, labels, trace);
      } else if (isWorth(cost.totalUsd)) {
        dollars?.add(cost.totalUsd, labels, trace);
        dollarsPerRequest?.record(cost.totalUsd, labels, trace);
      }
      // Who only says that it missed, missed the cache that every application has first.
      const { cacheHit, verdict } = outcome;
      if (cacheHit) lookUp(cacheHit === 'miss' ? 'exact' : cacheHit, cacheHit !== 'miss', labels);
      if (verdict) guardrail(verdict, labels, trace);
      for (const name of outcome.toolNames) {
        labels.tool_name = name || unknown;
        toolCalls?.add(1, labels, trace);
      }
    },
    chunk: (seconds, attributes, trace) => standard?.chunk(seconds, attributes, trace),
    evaluation,
    span(done) {
      const { type, seconds, agent, error, tool = '', trace } = done;
      const labels = labelsOf(done.provider, done.model, agent);
      labels.span_type = dialect.spanType(type);
      countSpan(error, labels, trace);
      if (type !== 'llm') spanSeconds?.record(seconds, labels, trace);
      if (type === 'retrieval') retrievals?.add(1, labels, trace);
      if (type === 'tool') {
        labels.agent = agent || unknown;
        labels.tool_name = tool;
        labels.status = error ? 'error' : 'ok';
        toolRuns?.add(1, labels, trace);
      }
      standard?.work(done);
    },
    parseError: (provider) => parseErrors.add(1, createLabels(fixed, provider, '', ''), null),
    cacheLookup: (type, hit, agent) => lookUp(type, hit, labelsOf('', '', agent)),
    guardrail: (verdict, of, trace) => guardrail(verdict, callLabels(of), trace),
    costAlert: (provider, model, agent) => costAlerts?.add(1, labelsOf(provider, model, agent)),
  };
}
