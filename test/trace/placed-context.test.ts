import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { createAsyncContext } from '../../src/runtime.ts';
import { createContextKey, rootContext } from '../../src/trace/otel-context.ts';
import { createPlacedContext, type Place } from '../../src/trace/placed-context.ts';

const key = createContextKey('test');
const named = (name: string) => rootContext.setValue(key, name);

/** A storage, and frameworks that say which of their work is current. */
function create(frameworks = 1) {
  const storage = createPlacedContext(createAsyncContext(new AsyncLocalStorage()));
  const current: (Place | undefined)[] = Array.from({ length: frameworks }, () => undefined);
  for (const index of current.keys()) storage.follow(() => current[index]);
  const read = () => storage.get()?.getValue(key);
  return { storage, current, read };
}

describe('the active context', () => {
  it('is that of the current work where nothing else was entered since that was announced', () => {
    const { storage, current, read } = create();
    expect(read()).toBeUndefined();
    storage.run(named('request'), () => {
      current[0] = storage.place(named('tool'));
      expect(read()).toBe('tool');
      storage.run(storage.get()!.setValue(key, 'span in the tool'), () => expect(read()).toBe('span in the tool'));
      storage.run(named('elsewhere'), () => expect(read()).toBe('elsewhere'));
      expect(read()).toBe('tool');
      current[0] = undefined;
      expect(read()).toBe('request');
    });
  });

  it('is that of the innermost work where frameworks call each other', () => {
    const { storage, current, read } = create(2);
    current[1] = storage.place(named('outer'));
    current[0] = storage.place(named('inner'));
    expect(read()).toBe('inner');
    [current[1], current[0]] = [storage.place(named('inmost')), current[0]];
    expect(read()).toBe('inmost');
  });
});

describe('work inside of other work', () => {
  it('belongs to what was entered in that, and else to that itself', () => {
    const { storage, current } = create();
    const outer = storage.place(named('node'));
    current[0] = outer;
    expect(storage.inside(outer).getValue(key)).toBe('node');
    storage.run(storage.get()!.setValue(key, 'span'), () => expect(storage.inside(outer).getValue(key)).toBe('span'));
    storage.run(named('elsewhere'), () => expect(storage.inside(outer).getValue(key)).toBe('node'));
  });
});
