import process from 'node:process';
import { createMetricsServer } from '../../adapters/node/index.ts';
import { callModel, createProgram } from './program.ts';
import { token } from './prometheus.ts';

/** One process of a fleet: makes its calls, half of them before a flush, and is set up by its environment alone. */
const { CALLS = '0', METRICS_PORT } = process.env;
const telemetry = createProgram({});
const server = METRICS_PORT && createMetricsServer(telemetry, { port: Number(METRICS_PORT), host: '127.0.0.1', token });
if (server) await server.start();

const calls = Number(CALLS);
for (let call = 0; call < calls; call++) {
  await callModel(telemetry);
  if (call === calls >> 1) await telemetry.flush();
}
if (!server) await telemetry.shutdown();
console.log(`made ${calls}`);
