import type { Attributes } from '@opentelemetry/api';
import type { Environment } from './environment.ts';
import type { Redaction } from './features/redaction.ts';
import type { TelemetryOptions } from './options.ts';
import { parseKeyValueList } from './otlp/variables.ts';
import { createResource, type Resource } from './trace/readable-span.ts';
import { version } from './version.ts';

/**
 * Resource attributes from `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`, which wins. One entry that cannot be read
 * discards the whole list: https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
 */
export function parseResourceEnv({ string, ignore }: Environment): Attributes {
  const name = 'OTEL_RESOURCE_ATTRIBUTES';
  const { entries, invalid } = parseKeyValueList(string(name) ?? '');
  if (invalid > 0) ignore(name, 'key=value,key=value, percent-encoded');
  const attributes: Attributes = Object.fromEntries(invalid > 0 ? [] : entries);
  const service = string('OTEL_SERVICE_NAME');
  if (service !== undefined) attributes['service.name'] = service;
  return attributes;
}

/** Who emits. What code says beats the environment, a service name beats one among the attributes. */
export function resolveResource(options: TelemetryOptions, fromEnvironment: Attributes, runtime: string): Attributes {
  const { serviceName, serviceVersion, environment, resource } = options;
  return {
    'service.name': 'unknown_service',
    'telemetry.sdk.name': 'edgespan',
    // The conventions have a word for Node.js, and one for all else: https://opentelemetry.io/docs/specs/semconv/resource/
    'telemetry.sdk.language': runtime === 'nodejs' ? 'nodejs' : 'webjs',
    'telemetry.sdk.version': version,
    'process.runtime.name': runtime,
    ...fromEnvironment,
    ...resource,
    ...(serviceName && { 'service.name': serviceName }),
    ...(serviceVersion && { 'service.version': serviceVersion }),
    ...(environment && { 'deployment.environment.name': environment }),
  };
}

/** The instance's id is random, so the resource is made when the first span or point is exported. */
export function lazyResource(
  given: Attributes,
  ids: { traceId(): string },
  redactor: Redaction | undefined,
): () => Resource {
  let resource: Resource | undefined;
  return () => {
    if (!resource) {
      const attributes = redactor ? redactor.attributes(given) : given;
      resource = createResource({ 'service.instance.id': toUuid(ids.traceId()), ...attributes });
    }
    return resource;
  };
}

/** Version 4, from 128 random bits. https://www.rfc-editor.org/rfc/rfc9562#section-5.4 */
function toUuid(hex: string): string {
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
