/** OTLP's `AnyValue`, as far as the receivers here meet it. */
type Value = {
  stringValue?: string;
  intValue?: string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values?: Value[] };
};
export type KeyValue = { key: string; value: Value };

/** Attributes of an OTLP/JSON request as a plain object. */
export function readAttributes(attributes: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, readValue(value)]));
}

function readValue(value: Value): unknown {
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(readValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}
