import { createDurations } from '../../src/metrics/durations.ts';

/** The bounds that the MCP conventions advise. */
const bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

export const durationsOf = /* @__PURE__ */ createDurations(bounds, {
  client: ['mcp.client.operation.duration', 'Seconds of an MCP request, to who sent it.'],
  server: ['mcp.server.operation.duration', 'Seconds of an MCP request, to who answered it.'],
});
