import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { negotiateFormat } from '../../src/prometheus/negotiate.ts';

const text004 = 'text/plain; version=0.0.4; charset=utf-8';
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

function contentType(accept: string | null | undefined) {
  return negotiateFormat(accept).contentType;
}

describe('negotiateFormat', () => {
  it.each([
    [null],
    [undefined],
    [''],
    ['*/*'],
    ['text/*'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['text/plain'],
    ['application/json'],
    ['text/plain;version=0.0.4;escaping=allow-utf-8'],
    ['application/openmetrics-text;version=0.0.1'],
    ['application/openmetrics-text;version=2.0.0'],
    ['application/openmetrics-text;q=0'],
    ['text/plain;version=0.0.4;q=0.9, application/openmetrics-text;version=1.0.0;q=0.5'],
  ])('gives text 0.0.4 for %j', (accept) => {
    expect(negotiateFormat(accept)).toEqual({ type: 'text', escaping: 'underscores', contentType: text004 });
  });

  it('gives Prometheus 3 what it asks for first', () => {
    expect(negotiateFormat(prometheus3)).toEqual({
      type: 'openmetrics',
      escaping: 'allow-utf-8',
      contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
    });
  });

  it('gives Prometheus 2 OpenMetrics with classic names', () => {
    const accept =
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    expect(contentType(accept)).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores',
    );
  });

  it.each(['allow-utf-8', 'dots', 'values', 'underscores'])('says in text 1.0.0 that it escapes by %s', (escaping) => {
    expect(contentType(`text/plain; version=1.0.0; escaping=${escaping}`)).toBe(
      `text/plain; version=1.0.0; charset=utf-8; escaping=${escaping}`,
    );
  });

  it('falls back to underscores for an escaping that does not exist', () => {
    expect(negotiateFormat('application/openmetrics-text;escaping=bogus').escaping).toBe('underscores');
  });

  it('takes the first of two that are equally wanted', () => {
    expect(negotiateFormat('application/openmetrics-text, text/plain').type).toBe('openmetrics');
    expect(negotiateFormat('text/plain, application/openmetrics-text').type).toBe('text');
  });

  it('does not let a wildcard bring back what was refused', () => {
    expect(negotiateFormat('text/plain;q=0, */*').type).toBe('openmetrics');
    expect(negotiateFormat('*/*;q=0.9, text/plain;q=0').type).toBe('openmetrics');
  });

  it('reads names and quoted parameters whatever their case', () => {
    expect(negotiateFormat('Application/OpenMetrics-Text ; VERSION="1.0.0" ; Q=1 ; escaping="dots"')).toMatchObject({
      type: 'openmetrics',
      escaping: 'dots',
    });
  });

  it('leaves out a member whose quality is no number', () => {
    expect(negotiateFormat('application/openmetrics-text;q=2, text/plain;q=0.1').type).toBe('text');
    expect(negotiateFormat('application/openmetrics-text;q=x').type).toBe('text');
  });

  it('takes any input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.anything()), (accept) => {
        expect(['text', 'openmetrics']).toContain(negotiateFormat(accept as string).type);
      }),
    );
    expect(negotiateFormat(`${',;='.repeat(100_000)}application/openmetrics-text`).type).toBe('text');
  });
});
