import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { createCollector } from '../../src/collector/create-collector.ts';
import { dashboardRoutes } from '../../src/collector/dashboard/routes.ts';

const files = ['/', '/dashboard.js', '/dashboard.css'];

describe('the dashboard’s files', () => {
  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/dashboard.js', 'text/javascript; charset=utf-8'],
    ['/dashboard.css', 'text/css; charset=utf-8'],
  ])('%s has its type, and nothing of elsewhere may come in', async (path, type) => {
    const response = await createCollector().request(path);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': type,
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
  });

  it.each(files)('%s is not sent again to who has it', async (path) => {
    const app = dashboardRoutes();
    const etag = (await app.request(path)).headers.get('etag')!;
    expect(etag).toMatch(/^"[\da-f]{16}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await app.request(path, { headers: { 'if-none-match': known } });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await app.request(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it.each([
    ['/', 'http://host/', 'http://host/dashboard.js'],
    ['/telemetry', 'http://host/telemetry', 'http://host/telemetry/dashboard.js'],
    ['/a/b', 'http://host/a/b', 'http://host/a/b/dashboard.js'],
    ['/:any', 'http://host/"><b>:', 'http://host/%22%3E%3Cb%3E:/dashboard.js'],
  ])('are found where the collector is mounted: %s', async (mount, page, script) => {
    const app = new Hono().route(mount, dashboardRoutes());
    const html = await (await app.request(page)).text();
    const [, src] = /<script type="module" src="([^"]*)">/.exec(html)!;
    expect(decodeURIComponent(new URL(src!, page).href)).toBe(decodeURIComponent(script));
    expect(html).not.toContain('<b>');
    expect((await app.request(new URL(src!, page).href)).headers.get('content-type')).toMatch(/javascript/);
  });

  it('have no script or style in the page itself', async () => {
    const html = await (await dashboardRoutes().request('/')).text();
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i);
  });

  it('need no key, and are not there where the option says so', async () => {
    const keyed = createCollector({ keys: { secret: 'a' } });
    for (const path of files) expect((await keyed.request(path)).status).toBe(200);
    for (const path of files) expect((await createCollector({ dashboard: false }).request(path)).status).toBe(404);
  });
});
