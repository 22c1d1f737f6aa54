import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEnvironment } from '../../../src/environment.ts';
import { type Capture, createContentCapture } from '../../../src/llm/content/capture.ts';
import { shorten } from '../../../src/llm/content/clean.ts';
import { writeJson } from '../../../src/llm/content/fit.ts';
import {
  type Message,
  media,
  message,
  type Part,
  text,
  toolCall,
  toolResponse,
} from '../../../src/llm/content/message.ts';
import { expectMessages, expectParts, expectWhole } from './schema.ts';

function create(valueLength: number, capture: Capture = { inputs: true, outputs: true }) {
  return createContentCapture({ capture, environment: createEnvironment({}, () => {}), valueLength });
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constantFrom('"\\\n\u0000', '😀😀😀😀', '…', '[', '{"a":', 'x'.repeat(900)),
);
const parts: fc.Arbitrary<Part[]> = fc.oneof(
  anyText.map((content) => text(content)),
  anyText.map((content) => text(content, 'reasoning')),
  fc.tuple(anyText, fc.jsonValue()).map(([name, args]) => toolCall(name, name, args)),
  fc.jsonValue().map((response) => [toolResponse('id', response)]),
  fc.base64String({ minLength: 4 }).map((data) => media(data, 'image/png', 'image')),
);
const messages: fc.Arbitrary<Message[]> = fc.array(
  fc
    .tuple(fc.constantFrom('user', 'assistant', 'tool'), fc.array(parts, { maxLength: 6 }))
    .map(([role, lists]) => message(role, lists.flat())),
  { minLength: 1, maxLength: 8 },
);

describe('what is captured', () => {
  it('is messages of the schema in any room, in whole characters', () => {
    fc.assert(
      fc.property(
        messages,
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: 2000 }),
        (given, limit, room) => {
          const capture = create(room);
          const attributes = {
            ...capture.request(
              { messages: given, system: given[0]!.parts, tools: [{ type: 'function', name: 'f' }] },
              limit,
            ),
            ...capture.response(given, limit),
          };
          for (const [name, value] of Object.entries(attributes)) {
            if (name.startsWith('edgespan.dropped.')) continue;
            expect(String(value).length, name).toBeLessThanOrEqual(room);
            if (name.endsWith('messages')) expectMessages(String(value));
            else expectParts(String(value));
          }
          if (room >= 2) expect(Object.keys(attributes)).toContain('gen_ai.output.messages');
          for (const { parts } of expectMessages(String(attributes['gen_ai.output.messages'] ?? '[]'))) {
            for (const { type, content } of parts) {
              if (type === 'text') expect(String(content).length).toBeLessThanOrEqual(limit);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is whole where there is room', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 9 }), (texts) => {
        const given = texts.map((content) => message('user', text(content)));
        const { 'gen_ai.input.messages': json } = create(1e6).request({ messages: given }, 500);
        expect(JSON.parse(String(json))).toEqual(given);
      }),
    );
  });

  it('has the newest messages of what went in and says how many are missing', () => {
    const given = ['one', 'two', 'three', 'four'].map((content) => message('user', text(content)));
    const attributes = create(130).request({ messages: given }, 500);
    expect(JSON.parse(String(attributes['gen_ai.input.messages']))).toEqual(given.slice(2));
    expect(attributes['edgespan.dropped.gen_ai.input.messages']).toBe(2);
    const answered = create(130).response(given, 500);
    expect(JSON.parse(String(answered['gen_ai.output.messages']))).toEqual(given.slice(0, 2));
  });

  it('marks every cut', () => {
    const long = [message('user', text('a'.repeat(50)))];
    const [cut] = expectMessages(String(create(4096).request({ messages: long }, 10)['gen_ai.input.messages']));
    expect(cut!.parts[0]!.content).toBe(`${'a'.repeat(9)}…`);
    const [squeezed] = expectMessages(String(create(80).request({ messages: long }, 500)['gen_ai.input.messages']));
    expect(squeezed!.parts[0]!.content).toMatch(/^a{5,}…$/);
    expect(create(4096).json('x', { list: Array.from({ length: 99 }, (_, i) => i) }, 20)).toEqual({
      x: '{"list":[0,1,2,"…"]}',
    });
  });

  it('keeps at most as many messages as have room without looking at the others', () => {
    const unread = {
      role: 'user',
      parts: [
        {
          type: 'text',
          get content() {
            throw new Error('read');
          },
        },
      ],
    };
    const read = Array.from({ length: 30 }, () => message('user', text('y'.repeat(400))));
    expect(() => create(4096).request({ messages: [unread as never, ...read] }, 500)).not.toThrow();
  });

  it('is nothing where the number is 0', () => {
    expect(create(4096).request({ messages: [message('user', text('a'))] }, 0)).toEqual({});
    expect(create(4096).response([message('user', text('a'))], 0)).toEqual({});
    expect(create(4096).value('x', 'a', 0)).toEqual({});
  });
});

describe('JSON in a given room', () => {
  it('is valid, and never longer', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 300 }), (value, room) => {
        const json = writeJson(value, room);
        if (json === undefined) return;
        expect(json.length).toBeLessThanOrEqual(room);
        expectWhole(JSON.stringify(JSON.parse(json)).replace(/\\ud[89a-f]../gi, ''));
      }),
      { numRuns: 500 },
    );
  });

  it('is all of it where that fits', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const whole = JSON.stringify(value);
        expect(writeJson(value, whole.length)).toBe(whole);
      }),
    );
  });
});

describe('a cut', () => {
  it('leaves whole characters and is within its limit', () => {
    expect(shorten('😀😀', 4)).toBe('😀😀');
    expect(shorten('😀😀', 3)).toBe('😀…');
    expect(shorten('😀😀', 2)).toBe('…');
    expect(shorten('😀😀', 0)).toBe('');
    expect(shorten('mail [REDACTED] now', 12)).toBe('mail …');
  });
});
