import type { ErrorClass } from './error-class.ts';

// Four digits in these are the codes of https://developers.cloudflare.com/workers-ai/platform/errors/.
export const timeout = /timed?[_ -]?out|deadline.?exceeded|^300[78]$/i;
export const rateLimit = /rate.?limit|too.?many.?requests|throttl|quota|resource.?exhausted|^30(36|40)$/i;
export const abort = /Abort(ed)?(Error)?$/;
/** What stands in the way of being heard at all; some of it has `not found` or `invalid` in its name. */
const unreached =
  /^e(conn|notfound|ai_|pipe|host|net)|dns|socket|connection|network|gateway|auth|api.?key|credential|permission|forbidden|access.?denied|billing|payment|token.?(expired|provider)|^(3023|3041|501[68])$/i;
/** The request, or what came back for it, is not what it should be. */
const invalid =
  /^(?!ERR_).*(invalid|validat|bad.?request|unprocessable|not.?found|no.?such|no.?object|missing|unsupported|malformed|pars(e|ing)|conver(t|sion)|violation|conflict|precondition|out.?of.?range|already.?exists|context.?(length|window|size)|max.?length|too.?(large|long|big|many)|content.?(filter|policy)|finish.?reason|tool.?call|ui.?message|zod|schema)|^(3003|3006|3039|3042|500[457]|5019)$/i;
const failed =
  /overload|unavailable|capacity|internal.?server|server.?(error|fault)|(service|server).?exception|api.?(call.?)?error|model.?(stream.?)?error|not.?(ready|implemented)|stream.?provider|refus|generated|empty.?response|download|interrupted|terminated/i;

/** By words, the most telling first. */
export const byWord: readonly (readonly [RegExp, ErrorClass])[] = [
  [timeout, 'timeout'],
  [rateLimit, 'rate_limit'],
  [abort, 'unknown'],
  [/load.?(api.?key|setting)/i, 'internal_error'],
  [unreached, 'provider_error'],
  [invalid, 'validation_error'],
  [failed, 'provider_error'],
];

/** How the runtimes' own `fetch` words a `TypeError` that is none of the program's. */
export const fetchFailed =
  /^(fetch failed|failed to fetch|load failed|terminated|error (sending|reading)|network|(unable to )?connect|socket|other side)/i;
/** By what messages say, which nobody promises to keep: of limits and networks alone. */
export const byMessage: readonly (readonly [RegExp, ErrorClass])[] = [
  [timeout, 'timeout'],
  [rateLimit, 'rate_limit'],
  [
    /network|socket|connect(ion)?\b|econn|enotfound|overloaded|unavailable|^(fetch|load) failed|failed to fetch|^terminated|^error (sending|reading)/i,
    'provider_error',
  ],
];
