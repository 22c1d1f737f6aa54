import { GoogleGenAI } from '@google/genai';
import { createMetricsServer, createTelemetry, installShutdownHooks, instrument } from 'edgespan/bun';
import { protobuf } from 'edgespan/protobuf';

interface Server {
  readonly port: number;
}
declare const Bun: {
  serve(options: { port: number; fetch(request: Request, server: Server): Response | Promise<Response> }): Server;
};

/** Gemini on Bun: spans on the console and by protobuf, a metrics page beside the application and one of its own. */
const telemetry = createTelemetry({ serviceName: 'gemini', console: true, otlp: { encoder: protobuf } });
const google = new GoogleGenAI({ apiKey: 'test', httpOptions: { fetch: telemetry.fetch } });
const undo: () => void = installShutdownHooks(telemetry, { signals: ['SIGTERM'], timeoutMs: 2_000 });

const fetch = instrument(async (request, server: Server) => {
  if (new URL(request.url).pathname === '/metrics') return telemetry.metricsHandler(request);
  const { text } = await google.models.generateContent({ model: 'gemini-2.5-flash', contents: await request.text() });
  return new Response(text, { headers: { 'x-port': String(server.port) } });
}, telemetry);

Bun.serve({ port: 3000, fetch });
const metrics = createMetricsServer(telemetry, { port: 9464, host: '127.0.0.1', token: () => 'secret' });
await metrics.start();
const where: [boolean, string] = [metrics.isRunning, metrics.url];
void where;
await metrics.stop();
undo();
