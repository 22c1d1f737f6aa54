import type { Attributes } from '@opentelemetry/api';
import { asString } from '../json.ts';
import { describeEmitter } from '../llm/emitter.ts';
import { overflowValue } from '../metrics/cardinality.ts';

/** Who sends, as labels say it. */
export interface Sender {
  readonly service: string;
  readonly env: string;
  readonly tenant: string;
}

export function readSender({ attributes }: { readonly attributes: Attributes }, tenant: string): Sender {
  const { service, env } = describeEmitter({
    // What the conventions called it before.
    'deployment.environment.name': asString(attributes['deployment.environment']) ?? 'development',
    ...attributes,
  });
  return { service, env, tenant };
}

/** Labels of the families about senders, of which each picks its own. */
export function senderLabels({ service, env, tenant }: Sender): Record<string, string> {
  return { service, env, environment: env, tenant };
}

/** One value for each sender, made when it is first heard of; what comes beyond the bound shares one. */
export function createBySender<T>(max: number, create: (sender: Sender) => T): (sender: Sender) => T {
  const known = new Map<string, T>();
  let others: T | undefined;
  return (sender) => {
    const key = `${sender.tenant}\n${sender.env}\n${sender.service}`;
    const found = known.get(key);
    if (found) return found;
    if (known.size >= max) {
      others ??= create({ service: overflowValue, env: overflowValue, tenant: overflowValue });
      return others;
    }
    const created = create(sender);
    known.set(key, created);
    return created;
  };
}
