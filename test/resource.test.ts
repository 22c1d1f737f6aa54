import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../src/environment.ts';
import type { TelemetryError } from '../src/errors.ts';
import { parseResourceEnv } from '../src/resource.ts';

function parse(env: Record<string, unknown>) {
  const warnings: TelemetryError[] = [];
  return {
    attributes: parseResourceEnv(createEnvironment(env, (error) => warnings.push(error))),
    warnings: warnings.map(({ code }) => code),
  };
}

describe('resource attributes', () => {
  it.each([
    ['a=x%2Cy', { a: 'x,y' }],
    [' a = 1 , b=2=3,', { a: '1', b: '2=3' }],
    ['service.name=shop,n=5', { 'service.name': 'shop', n: '5' }],
    ['a=', { a: '' }],
    ['', {}],
  ])('%o', (text, attributes) => {
    expect(parse({ OTEL_RESOURCE_ATTRIBUTES: text })).toEqual({ attributes, warnings: [] });
  });

  it.each(['a=1,b=%ZZ', 'a=1,b', 'a=1,=2'])('%o is discarded as a whole', (text) => {
    expect(parse({ OTEL_RESOURCE_ATTRIBUTES: text })).toEqual({ attributes: {}, warnings: ['invalid_environment'] });
  });

  it('take their service name from OTEL_SERVICE_NAME, unless it is empty', () => {
    const OTEL_RESOURCE_ATTRIBUTES = 'service.name=a,b=%ZZ';
    expect(parse({ OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'b' }).attributes).toEqual({ 'service.name': 'b' });
    expect(parse({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: '' }).attributes).toEqual({
      'service.name': 'a',
    });
  });
});
