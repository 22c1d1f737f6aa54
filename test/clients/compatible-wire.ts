/** Chat completions as most vendors send them: OpenAI's, each with fields of its own. */
export interface Dress {
  readonly model: string;
  /** Fields of the whole reply, and of every chunk. */
  readonly head?: object;
  /** Fields of the whole reply, and of the last chunk. */
  readonly tail: { readonly usage: object } & Record<string, unknown>;
  readonly finish?: string;
}

export const toolCall = {
  id: 'call_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Lisbon"}' },
};

/** The exchanges of one vendor. Frames are entries of their own. */
export function createWire({ model, head = {}, tail, finish = 'stop' }: Dress) {
  const common = { id: 'chat-1', created: 1_763_700_000, model, system_fingerprint: 'fp_1', ...head };

  function completion(withTool = false) {
    const message = {
      role: 'assistant',
      content: withTool ? null : 'Hello.',
      ...(withTool && { tool_calls: [toolCall] }),
    };
    const finish_reason = withTool ? 'tool_calls' : finish;
    return { ...common, object: 'chat.completion', choices: [{ index: 0, message, finish_reason }], ...tail };
  }

  function frame(delta: object, finish_reason: string | null = null, more: object = {}): string {
    const choices = [{ index: 0, delta, finish_reason }];
    return `data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
  }

  return {
    completion,
    chunks: () => [
      frame({ role: 'assistant', content: '' }),
      frame({ content: 'Hello' }),
      frame({ content: '.' }),
      frame({ content: '' }, finish, tail),
      'data: [DONE]\n\n',
    ],
    toolChunks: () => [
      frame({ role: 'assistant', content: null }),
      frame({ tool_calls: [{ index: 0, ...toolCall, function: { name: 'get_weather', arguments: '' } }] }),
      frame({ tool_calls: [{ index: 0, function: { arguments: '{"city":"Lisbon"}' } }] }),
      frame({}, 'tool_calls', tail),
      'data: [DONE]\n\n',
    ],
    failingChunks: (error: object, more: object = {}) => [
      frame({ role: 'assistant', content: '' }),
      frame({ content: 'Hel' }),
      `data: ${JSON.stringify({ ...more, error })}\n\n`,
    ],
  };
}
