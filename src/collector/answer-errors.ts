import type { Hono } from 'hono';
import { describeRefusal, Refusal, refusalHeaders } from './refusal.ts';

/** Has the app answer errors in JSON, and tells `report` of those that are nobody's fault but ours. */
export function answerErrors(app: Hono, report: (error: unknown) => void): void {
  app.onError((error) => {
    const refusal = error instanceof Refusal ? error : new Refusal(500, 'internal', 'something went wrong');
    if (error !== refusal) report(error);
    return answer(refusal);
  });
  app.notFound(() => answer(new Refusal(404, 'not_found', 'there is no such page')));
}

/** Has the paths that the app knows so far answer 405 to other methods: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 */
export function refuseOtherMethods(app: Hono): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of app.routes) methods.set(path, [...(methods.get(path) ?? []), method]);
  for (const [path, known] of methods) {
    // HEAD is answered wherever GET is.
    const allowed = known.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)).join(', ');
    const refusal = new Refusal(405, 'method_not_allowed', `the methods are ${allowed}`);
    app.all(path, () => answer(refusal, { allow: allowed }));
  }
}

function answer(refusal: Refusal, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(describeRefusal(refusal)), {
    status: refusal.status,
    headers: { 'content-type': 'application/json', ...refusalHeaders(refusal), ...headers },
  });
}
