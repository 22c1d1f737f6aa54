import { expect } from 'vitest';
import type { Message } from '../../../src/llm/content/message.ts';

/** What the GenAI conventions' schemas require of a part, by its type; other types are free. */
const required: Readonly<Record<string, readonly string[]>> = {
  text: ['content'],
  reasoning: ['content'],
  tool_call: ['name'],
  tool_call_response: ['response'],
  server_tool_call: ['name', 'server_tool_call'],
  server_tool_call_response: ['server_tool_call_response'],
  file: ['modality', 'file_id'],
  uri: ['modality', 'uri'],
  // Its bytes are described in place of its content.
  blob: ['modality', 'size'],
};

const halfSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

export function expectParts(json: string): void {
  const parts = JSON.parse(json) as Record<string, unknown>[];
  expect(Array.isArray(parts)).toBe(true);
  for (const part of parts) {
    expect(part.type, json).toBeTypeOf('string');
    for (const field of required[String(part.type)] ?? []) expect(part, json).toHaveProperty(field);
    if (part.type === 'text' || part.type === 'reasoning') expect(part.content).toBeTypeOf('string');
  }
}

/** Throws unless the text is messages by the schema, with whole characters alone. */
export function expectMessages(json: string): Message[] {
  const messages = JSON.parse(json) as Message[];
  expect(Array.isArray(messages)).toBe(true);
  for (const { role, parts } of messages) {
    expect(role).toBeTypeOf('string');
    expectParts(JSON.stringify(parts));
  }
  expectWhole(json);
  return messages;
}

export function expectWhole(json: string): void {
  expect(JSON.stringify(JSON.parse(json))).not.toMatch(/\\ud[89a-f]/i);
  expect(json).not.toMatch(halfSurrogate);
}
