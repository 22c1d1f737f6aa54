import { TelemetryError } from '../../src/errors.ts';

/** A forgotten binding fails where the store is made, not at the first call. */
export function checkNamespace<T extends Rpc.DurableObjectBranded>(
  namespace: unknown,
  factory: string,
  className: string,
): DurableObjectNamespace<T> {
  if (typeof (namespace as { getByName?: unknown } | undefined)?.getByName !== 'function') {
    throw new TelemetryError(
      'invalid_option',
      `${factory} needs the binding of a Durable Object namespace. Export ${className} of edgespan/workers from the ` +
        `Worker's main module, and name it in wrangler.toml under durable_objects.bindings and new_sqlite_classes.`,
    );
  }
  return namespace as DurableObjectNamespace<T>;
}
