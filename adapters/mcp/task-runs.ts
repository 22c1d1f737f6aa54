import { asObject, asString, type Json } from '../../src/json.ts';
import type { Outcome, RpcRequest } from './message.ts';

/** Runs that nobody has heard the end of; beyond it the oldest are given up. */
const maxOpen = 1000;

type Told = (outcome: Outcome) => void;

/**
 * Runs of tools that go on as tasks after their call was answered, until a request tells what became of them.
 * https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
class TaskRuns {
  readonly #open = new Map<string, Told>();

  /** Whether the answer to a call is a task; `told` then hears of its end, once. */
  take(outcome: Outcome, told: Told): boolean {
    const result = 'result' in outcome ? asObject(outcome.result) : undefined;
    const id = asString(asObject(result?.task)?.taskId);
    if (id === undefined || 'content' in result!) return false;
    this.#open.set(id, told);
    if (this.#open.size > maxOpen) this.#end(this.#open.keys().next().value!, { left: 'cancelled' });
    return true;
  }

  /** Looks for what became of a run in the answer to a request about its task. */
  follow({ method, params }: RpcRequest, outcome: Outcome): void {
    const result = 'result' in outcome ? asObject(outcome.result) : undefined;
    const came = result && readEnd(method, result);
    if (came) this.#end(String(params.taskId), came);
  }

  #end(id: string, outcome: Outcome): void {
    const told = this.#open.get(id);
    this.#open.delete(id);
    told?.(outcome);
  }
}

function readEnd(method: string, result: Json): Outcome | undefined {
  if (method === 'tasks/result') return { result };
  if (method !== 'tasks/get' && method !== 'tasks/cancel') return undefined;
  const { status } = result;
  if (status === 'cancelled') return { left: status };
  return status === 'completed' || status === 'failed' ? { result: { isError: status === 'failed' } } : undefined;
}

const known = /* @__PURE__ */ new WeakMap<object, Record<'client' | 'server', TaskRuns>>();

/** Of an engine, since the requests about a task may come by other connections than the call did. */
export function taskRunsOf(engine: object, side: 'client' | 'server'): TaskRuns {
  const runs = known.get(engine) ?? { client: new TaskRuns(), server: new TaskRuns() };
  known.set(engine, runs);
  return runs[side];
}
