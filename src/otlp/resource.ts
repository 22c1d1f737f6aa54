import type { Attributes } from '@opentelemetry/api';
import { readEnv, type Warn, warnEnv } from '../environment.ts';
import { parseKeyValueList } from './variables.ts';

/**
 * Resource attributes from `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`, which wins. One entry that cannot be read
 * discards the whole list: https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
 */
export function parseResourceEnv(env: Record<string, unknown>, warn: Warn): Attributes {
  const name = 'OTEL_RESOURCE_ATTRIBUTES';
  const { entries, invalid } = parseKeyValueList(readEnv(env, name) ?? '');
  if (invalid > 0) warnEnv(warn, name, 'key=value,key=value, percent-encoded');
  const attributes: Attributes = Object.fromEntries(invalid > 0 ? [] : entries);
  const service = readEnv(env, 'OTEL_SERVICE_NAME');
  if (service !== undefined) attributes['service.name'] = service;
  return attributes;
}
