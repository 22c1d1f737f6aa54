import { equal } from './assert.ts';
import { createClock, createTelemetry, type Suite, type SuiteEnv } from './suite.ts';

/** Ids as they come when every random byte is the same. */
const random = (bytes: Uint8Array<ArrayBuffer>) => bytes.fill(0xab);
const trace = `trace_id="${'ab'.repeat(16)}",span_id="${'ab'.repeat(8)}"`;

const target = [
  'service_instance_id="abababab-abab-4bab-abab-abababababab"',
  'service_name="shop \\"A\\""',
  'telemetry_sdk_name="edgespan"',
  'telemetry_sdk_language="webjs"',
  'telemetry_sdk_version="V"',
  'process_runtime_name="test"',
  'deployment_environment_name="prod"',
].join();

function fill(env: SuiteEnv) {
  const clock = createClock();
  const telemetry = createTelemetry(env, {
    clock,
    serviceName: 'shop "A"',
    environment: 'prod',
    runtime: { random, name: 'test' },
  });
  const { metrics, meter } = telemetry;
  const jobs = metrics.counter('jobs_total', { help: 'Jobs done,\nby \\ queue', labels: ['queue'] });
  const seconds = metrics.histogram('job.duration', { unit: 's', help: 'Seconds of a job', buckets: [0.5, 2.5] });
  jobs.inc({ queue: 'ma"il\n\\' }, 2);
  jobs.inc({ queue: '' });
  metrics.gauge('depth').set(-0.5);
  meter.createUpDownCounter('open', { unit: '{connection}' }).add(3, { 'peer.name': 'a' });
  seconds.observe(0.5);
  clock.advance(1500);
  telemetry.span('s', () => seconds.observe(7));
  return telemetry;
}

const shown = (name: string) => !/^(llm|gen_ai|edgespan)_/.test(name);

/** Without the library's version, which changes. */
async function read(response: Response): Promise<string> {
  return (await response.text()).replace(/version="\d+\.\d+\.\d+"/g, 'version="V"');
}

async function scrape(env: SuiteEnv, accept?: string): Promise<Response> {
  const page = env.edgespan.metricsHandler(fill(env), { filter: shown });
  return page(new Request('http://localhost/metrics', accept ? { headers: { accept } } : {}));
}

const text = `# HELP target_info Target metadata
# TYPE target_info gauge
target_info{${target}} 1
# HELP jobs_total Jobs done,\\nby \\\\ queue
# TYPE jobs_total counter
jobs_total{queue="ma\\"il\\n\\\\"} 2
jobs_total{queue=""} 1
# HELP job_duration_seconds Seconds of a job
# TYPE job_duration_seconds histogram
job_duration_seconds_bucket{le="0.5"} 1
job_duration_seconds_bucket{le="2.5"} 1
job_duration_seconds_bucket{le="+Inf"} 2
job_duration_seconds_sum 7.5
job_duration_seconds_count 2
# TYPE depth gauge
depth -0.5
# TYPE open gauge
open{otel_scope_name="edgespan",otel_scope_version="V",peer_name="a"} 3
`;

const openMetrics = `# TYPE target info
# HELP target Target metadata
target_info{${target}} 1
# TYPE jobs counter
# HELP jobs Jobs done,\\nby \\\\ queue
jobs_total{queue="ma\\"il\\n\\\\"} 2
jobs_created{queue="ma\\"il\\n\\\\"} 1700000000
jobs_total{queue=""} 1
jobs_created{queue=""} 1700000000
# TYPE job_duration_seconds histogram
# UNIT job_duration_seconds seconds
# HELP job_duration_seconds Seconds of a job
job_duration_seconds_bucket{le="0.5"} 1
job_duration_seconds_bucket{le="2.5"} 1
job_duration_seconds_bucket{le="+Inf"} 2 # {${trace}} 7 1700000001.5
job_duration_seconds_sum 7.5
job_duration_seconds_count 2
job_duration_seconds_created 1700000000
# TYPE depth gauge
depth -0.5
# TYPE open gauge
open{otel_scope_name="edgespan",otel_scope_version="V",peer_name="a"} 3
# EOF
`;

function sorted(page: string): string[] {
  return page.split('\n').sort();
}

export const prometheus: Suite = [
  {
    name: 'prometheus: text 0.0.4',
    async run(env) {
      const response = await scrape(env);
      equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8', 'content-type');
      const page = await read(response);
      equal(sorted(page), sorted(text), 'lines');
      equal(page, text, 'page');
    },
  },
  {
    name: 'prometheus: OpenMetrics 1.0 with exemplars and its end',
    async run(env) {
      const response = await scrape(env, 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5');
      equal(
        response.headers.get('content-type')?.startsWith('application/openmetrics-text; version=1.0.0'),
        true,
        'content-type',
      );
      const page = await read(response);
      equal(sorted(page), sorted(openMetrics), 'lines');
      equal(page, openMetrics, 'page');
    },
  },
  {
    name: 'prometheus: the page of a telemetry that was turned off is empty and valid',
    async run(env) {
      const telemetry = createTelemetry(env, { enabled: false, resource: { a: 1 } });
      telemetry.metrics.counter('c_total').inc();
      const response = await telemetry.metricsHandler(new Request('http://localhost/metrics'));
      equal(response.status, 200, 'status');
      const page = await response.text();
      equal(
        page.split('\n').filter((line) => line && !line.startsWith('#') && !line.startsWith('target_info')),
        [],
        'samples',
      );
    },
  },
  {
    name: 'prometheus: 401 without the token, 405 for other methods, gzip where it is taken',
    async run(env) {
      const telemetry = createTelemetry(env, { metrics: { token: () => 'secret' } });
      telemetry.metrics.counter('c_total').inc();
      const get = (headers: Record<string, string>, method = 'GET') =>
        telemetry.metricsHandler(new Request('http://localhost/metrics', { method, headers }));
      const authorization = 'Bearer secret';
      equal((await get({})).status, 401, 'no token');
      equal((await get({ authorization: 'Bearer wrong' })).status, 401, 'wrong token');
      equal((await get({ authorization }, 'POST')).status, 405, 'POST');
      equal((await get({ authorization })).status, 200, 'right token');
      const zipped = await get({ authorization, 'accept-encoding': 'gzip' });
      equal(zipped.headers.get('content-encoding'), 'gzip', 'content-encoding');
      const page = await new Response(zipped.body!.pipeThrough(new DecompressionStream('gzip'))).text();
      equal(page.includes('\nc_total 1\n'), true, 'page');
    },
  },
  {
    name: 'prometheus: one of many isolates says so, or answers 501 with the remedy',
    async run(env) {
      const page = async (metrics: { local?: boolean }) => {
        const telemetry = createTelemetry(env, { metrics, runtime: { ephemeral: true } });
        const response = await telemetry.metricsHandler(new Request('http://localhost/metrics'));
        return [response.status, await response.text()] as const;
      };
      const [refused, remedy] = await page({});
      equal([refused, remedy.includes('metrics: { local: true }')], [501, true], 'without a store');
      const [served, text] = await page({ local: true });
      equal([served, text.includes('# HELP edgespan_local_metrics ')], [200, true], 'local');
    },
  },
];
