/** What listens, or is asked of every object: no work that a span would tell of. */
export const quiet =
  /^(_.*|then|catch|finally|on|once|off|emit|(add|remove)(Event|All)?Listeners?|prepend.*Listener|to(String|JSON|LocaleString)|valueOf|inspect|constructor)$/;
/** Methods of a client that ask no model. */
export const housekeeping = /^(list|retrieve|get|del|delete|update|upload|download|cancel|poll|close|destroy)$/;
/** Methods that answer the client with other settings. */
export const resetting = /^with[A-Z]/;

/** What a method of a client asks for, where its name says that it is no chat. */
const operations: readonly (readonly [RegExp, string])[] = [
  [/embed/i, 'embed'],
  [/rerank/i, 'rerank'],
  [/count_?tokens/i, 'count_tokens'],
  [/moderat/i, 'moderation'],
  [/image/i, 'image'],
  [/video/i, 'video'],
  [/speech/i, 'speech'],
  [/transcri|translation/i, 'transcription'],
];

/** By the path of a method, as `audio.speech.create`. */
export function operationOf(method: string): { operation?: string } {
  const operation = operations.find(([name]) => name.test(method))?.[1];
  return operation === undefined ? {} : { operation };
}
