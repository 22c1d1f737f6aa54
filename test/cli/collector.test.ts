import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../support/build.ts';
import type { ServerRuntime } from '../support/child.ts';
import { newPath, run, startCollector, traceOf } from './run.ts';

beforeAll(() => ensureBuilt({ types: false }));

describe.each<ServerRuntime>(['node', 'deno', 'bun'])('edgespan collector on %s', (runtime) => {
  it('takes, keeps, shows and stores, and is the same after a restart', async () => {
    const store = `sqlite:${newPath('traces.db')}`;
    const first = await startCollector(['--store', store], {}, runtime);
    const { traceId, body } = traceOf(1);
    expect((await first.send(body)).status).toBe(200);
    expect(await (await first.get('/v1/traces?service=shop')).json()).toMatchObject({
      traces: [{ trace_id: traceId, span_count: 10, models: ['gpt-4o'] }],
    });
    expect(await (await first.get('/metrics')).text()).toMatch(/^llm_requests_total\{.*service="shop".*\} 9$/m);
    expect((await first.get('/')).headers.get('content-type')).toContain('text/html');
    expect(await first.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(first.lines.at(-1)!)).toEqual({ event: 'stopped', signal: 'SIGTERM' });

    const second = await startCollector(['--store', store, '--no-dashboard'], {}, runtime);
    const { spans } = (await (await second.get(`/v1/traces/${traceId}`)).json()) as { spans: unknown[] };
    expect(spans).toHaveLength(10);
    expect((await second.get('/')).status).toBe(404);
    expect((await second.stop('SIGINT')).code).toBe(0);
  });

  it('goes on when whoever read what it says is gone', async () => {
    const collector = await startCollector([], {}, runtime);
    collector.process.stdout?.destroy();
    collector.process.stderr?.destroy();
    expect((await collector.send(traceOf(1).body)).status).toBe(200);
    expect(await collector.stop()).toMatchObject({ code: 0 });
  });
});

describe('edgespan collector', () => {
  it('reads a file, variables and flags, in the words of each', async () => {
    const config = newPath(
      'collector.yaml',
      'keys: { sesame: shop }\nmetrics: { namespace: from_file }\nredact: [email]\n',
    );
    const keysFile = newPath('keys', '# of the blog\nopen=blog\n');
    const env = { EDGESPAN_COLLECTOR_METRICS_NAMESPACE: 'from_env', EDGESPAN_COLLECTOR_ADMIN_KEY: 'hunter2' };
    const collector = await startCollector(['--config', config, '--keys-file', keysFile, '--tenant-label'], env);
    const { traceId, body } = traceOf(1);
    expect((await collector.send(body)).status).toBe(401);
    expect((await collector.send(body, { 'x-api-key': 'sesame' })).status).toBe(200);
    expect((await collector.get(`/v1/traces/${traceId}`, { 'x-api-key': 'sesame' })).status).toBe(200);
    expect((await collector.get(`/v1/traces/${traceId}`, { 'x-api-key': 'open' })).status).toBe(404);
    const metrics = await (await collector.get('/metrics', { 'x-api-key': 'hunter2' })).text();
    expect(metrics).toContain('from_env_requests_total');
    expect((await collector.get('/config', { 'x-api-key': 'hunter2' })).status).toBe(200);
    await collector.stop();
  });

  it('reads its file again when it is told to, and says what is wrong with it', async () => {
    const config = newPath('collector.yaml', 'sampling: { ratio: 0.5 }\nadminKey: root\n');
    const collector = await startCollector(['--config', config, '--queue-max', '100']);
    const reload = () =>
      fetch(`${collector.url}/config/reload`, { method: 'POST', headers: { authorization: 'Bearer root' } });
    writeFileSync(config, 'sampling: { ratio: 0 }\nqueue: { max: 7 }\nadminKey: root\n');
    // A flag still beats the file.
    expect(await (await reload()).json()).toMatchObject({ sampling: { ratio: 0 }, queue: { max: 100 } });
    writeFileSync(config, 'sampling: { ratio: 7 }\n');
    const refused = await reload();
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { field: 'config', message: `${config}: sampling.ratio is 7: it must be a number from 0 to 1` },
    });
    expect(await collector.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  it('takes what is asked to be redacted out of what it keeps', async () => {
    const collector = await startCollector(['--redact', 'email', '--redact', '/order-\\d+/']);
    const { traceId, body } = traceOf(1, { spans: 1 });
    body.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.name = 'mail jane@example.com of order-77';
    await collector.send(body);
    const text = await (await collector.get(`/v1/traces/${traceId}`)).text();
    expect(text).toContain('mail ');
    expect(text).not.toMatch(/jane|order-77/);
    await collector.stop();
  });

  it('forwards to another one, and writes an audit log that can be verified', async () => {
    const auditFile = newPath('audit.jsonl');
    const behind = await startCollector(['--keys', 'sesame=shop']);
    const front = await startCollector([
      ...['--forward-endpoint', behind.url, '--forward-headers', 'x-api-key=sesame', '--forward-protocol', 'protobuf'],
      ...['--forward-compression', 'gzip', '--audit-file', auditFile],
    ]);
    const { traceId, body } = traceOf(1, { spans: 3 });
    await front.send(body);
    // What is on its way is sent before it ends.
    await front.stop();
    const forwarded = await behind.get(`/v1/traces/${traceId}`, { 'x-api-key': 'sesame' });
    expect(((await forwarded.json()) as { spans: unknown[] }).spans).toHaveLength(3);
    await behind.stop();
    expect(readFileSync(auditFile, 'utf8').trim().split('\n')).toHaveLength(2);
    expect(await run(['audit', 'verify', auditFile])).toMatchObject({ code: 0 });
  });

  it('keeps all that it has answered when it is told to stop in the middle', async () => {
    const store = `sqlite:${newPath('traces.db')}`;
    const collector = await startCollector(['--store', store]);
    const sending = Array.from({ length: 40 }, async (_, id) => {
      const { traceId, body } = traceOf(id + 1);
      return (await collector.send(body)).status === 200 ? traceId : undefined;
    });
    await Promise.race(sending);
    expect((await collector.stop()).code).toBe(0);
    const answered = (await Promise.allSettled(sending)).flatMap(
      (one) => (one.status === 'fulfilled' && one.value) || [],
    );
    expect(answered.length).toBeGreaterThan(0);
    const again = await startCollector(['--store', store]);
    for (const traceId of answered) expect((await again.get(`/v1/traces/${traceId}`)).status).toBe(200);
    await again.stop();
  });

  it('ends although a page listens to its live feed', async () => {
    const collector = await startCollector();
    const feed = await collector.get('/v1/live');
    const { code } = await collector.stop();
    expect(code).toBe(0);
    await feed.body?.cancel().catch(() => {});
  });

  it('warns who lets everybody in', async () => {
    const collector = await startCollector(['--host', '0.0.0.0']);
    const warning = JSON.parse(await collector.line('{"event":"warning"'));
    expect(warning.message).toContain('whoever reaches 0.0.0.0 may read and send: give --keys');
    await collector.stop();
    const closed = await startCollector(['--host', '0.0.0.0', '--keys', 'a=b']);
    await closed.stop();
    expect(closed.lines.filter((line) => line.includes('warning'))).toEqual([]);
  });

  it('says for people where it is', async () => {
    const { code, stderr } = await run(['collector', '--port', '0', '--store', 'sqlite:/nowhere/traces.db']);
    expect(code).toBe(1);
    expect(stderr).toContain("the database /nowhere/traces.db can't be opened");
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    ['--store', 'redis', 2, 'store is "redis": it must be memory or sqlite:PATH'],
    ['--redact', 'emial', 2, 'redact knows no emial: did you mean email?'],
    ['--redact', '/(/', 2, '/(/ is no regular expression'],
    ['--queue-soft-limit', '0.99', 2, 'queue.softLimit must not be above queue.hardLimit'],
    ['--keys-file', '/nowhere', 1, "the file of keys /nowhere can't be read"],
    ['--host', '192.0.2.1', 1, 'this machine has no such address: look at --host'],
  ])('refuses %s %s', async (flag, value, expected, message) => {
    const { code, stderr } = await run(['collector', '--port', '0', flag, value]);
    expect({ code, said: stderr.includes(message) ? message : stderr }).toEqual({ code: expected, said: message });
  });

  it.each([
    [[], 'http://localhost:4318'],
    [['--port', '4999'], 'http://127.0.0.1:4999/'],
    [['--host', '0.0.0.0', '--port', '80'], `http://${hostname()}`],
  ])('refuses %j to forward to itself at %s', async (flags, endpoint) => {
    const { code, stderr } = await run(['collector', ...flags, '--forward-endpoint', endpoint]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('forward.endpoint is this collector itself')]);
  });

  it('says before it listens which of its files it cannot use', async () => {
    const junk = newPath('junk');
    writeFileSync(junk, 'no database '.repeat(1000));
    const bad = async (...flags: string[]) => {
      const { code, stderr } = await run(['collector', '--port', '0', ...flags]);
      return [code, stderr.trim()];
    };
    expect(await bad('--store', `sqlite:${junk}`)).toEqual([
      1,
      `error: the database ${junk} can't be used: file is not a database`,
    ]);
    expect(await bad('--audit-file', '/nowhere/audit.jsonl')).toEqual([
      1,
      expect.stringMatching(/^error: the audit log \/nowhere\/audit.jsonl can't be opened: ENOENT[^\n]*$/),
    ]);
  });

  it('says that its port is taken', async () => {
    const collector = await startCollector();
    const { code, stderr } = await run(['collector', '--port', new URL(collector.url).port]);
    expect(code).toBe(1);
    expect(stderr).toContain('something listens there already: choose another --port');
    await collector.stop();
  });

  it('is what edgespan check finds well', async () => {
    const collector = await startCollector(['--keys', 'sesame=shop', '--admin-key', 'hunter2']);
    expect(await run(['check', collector.url])).toMatchObject({ code: 1 });
    const { code, stdout } = await run(['check', collector.url, '--header', 'x-api-key=sesame', '--json']);
    expect(code).toBe(0);
    const { traceId } = JSON.parse(stdout) as { traceId: string };
    expect((await collector.get(`/v1/traces/${traceId}`, { 'x-api-key': 'sesame' })).status).toBe(200);
    const metrics = await (await collector.get('/metrics', { 'x-api-key': 'hunter2' })).text();
    expect(metrics).toMatch(/^otlp_check_total\{.*service="edgespan-check".*\} 1$/m);
    await collector.stop();
  });
});
