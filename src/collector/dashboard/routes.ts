/// <reference path="./bundle.d.ts" />
import { type Context, Hono } from 'hono';
import { html, script, style, version } from './page/index.html?bundle';

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Asked for again each time, and answered 304 as long as the version is the same.
  'cache-control': 'no-cache',
};

/** The page and its two files. They hold no data: what they show, they ask the API for, with the key of who looks. */
export function dashboardRoutes(): Hono {
  const app = new Hono();
  app.get('/', (c) => serve(c, 'text/html', html.replaceAll('{base}', baseOf(new URL(c.req.url).pathname))));
  app.get('/dashboard.js', (c) => serve(c, 'text/javascript', script));
  app.get('/dashboard.css', (c) => serve(c, 'text/css', style));
  return app;
}

function serve(c: Context, type: string, body: string): Response {
  const etag = `"${version}"`;
  if (isKnown(c.req.header('if-none-match'), etag)) return c.body(null, 304, { ...headers, etag });
  return c.body(body, 200, { ...headers, 'content-type': `${type}; charset=utf-8`, etag });
}

/** Whether the caller has this version. What compresses on the way makes a tag weak. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  return (ifNoneMatch ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/**
 * Where the files are, as seen from the page: mounted at `/telemetry` their addresses begin with `telemetry/`, below
 * `/telemetry/` or behind a proxy that takes the prefix away they don't.
 */
function baseOf(pathname: string): string {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1);
  return last && `./${last.replace(/[^\w.~%-]/g, encodeURIComponent)}/`;
}
