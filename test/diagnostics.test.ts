import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../src/diagnostics.ts';
import { TelemetryError } from '../src/errors.ts';

describe('diagnostics', () => {
  it('tell of each kind at most once a minute, and count all', () => {
    let now = 1_000_000;
    const heard: string[] = [];
    const { report, health } = createDiagnostics(
      () => now,
      (error) => heard.push(`${error.code} ${error.message}`),
    );
    const fail = (message: string) => report(new TelemetryError('export_failed', message));
    fail('a');
    fail('b');
    report(new Error('else'));
    now += 59_999;
    fail('c');
    now += 1;
    fail('d');
    expect(heard).toEqual(['export_failed a', 'internal else', 'export_failed d']);
    expect(health()).toMatchObject({
      ok: false,
      problems: [
        { code: 'export_failed', message: 'd', count: 4, action: expect.stringContaining('otlp.endpoint') },
        { code: 'internal', message: 'else', count: 1 },
      ],
    });
  });

  it('are not silenced by a clock that is set back', () => {
    let now = 1_000_000_000;
    let heard = 0;
    const { report } = createDiagnostics(
      () => now,
      () => heard++,
    );
    report(new Error('a'));
    now -= 500_000_000;
    report(new Error('b'));
    expect(heard).toBe(2);
  });

  it('never throw', () => {
    const { report, health } = createDiagnostics(
      () => 0,
      () => {
        throw new Error('callback');
      },
    );
    for (const reason of [undefined, null, 'text', Symbol('x'), Object.create(null), { toString: () => 5 }])
      report(reason);
    expect(health().problems).toMatchObject([{ code: 'internal', count: 6 }]);
  });

  it('are fine where nothing happened', () => {
    expect(createDiagnostics(() => 0).health()).toEqual({ ok: true, problems: [] });
  });
});
