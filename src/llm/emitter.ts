import type { Attributes } from '@opentelemetry/api';

/** Who emits, in the words of Rastir, which has them on every metric and span. */
export interface Emitter {
  readonly service: string;
  readonly env: string;
  readonly version: string;
}

/** By the attributes of the resource; what nobody has said is what Rastir says then. */
export function describeEmitter(resource: Attributes): Emitter {
  const text = (name: string, otherwise: string) => String(resource[name] ?? otherwise);
  return {
    service: text('service.name', 'unknown').replace(/^unknown_service$/, 'unknown'),
    env: text('deployment.environment.name', 'development'),
    version: text('service.version', ''),
  };
}
