import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestTelemetry } from '../../src/testing.ts';
import { createAlsTelemetry } from '../support/telemetry.ts';
import { answerMs } from './compare.ts';
import { isInstalled, remedy } from './installed.ts';
import { createLoopback, type Loopback, redirect } from './loopback.ts';
import { createRows } from './value-rows.ts';
import { createAiSdkRows } from './value-rows-ai-sdk.ts';
import { createCompatibleRows } from './value-rows-compatible.ts';
import { type AnyMethod, type Cell, columns, consume, type Fetch, find, type Row } from './value-table.ts';

const installed = isInstalled('openai') && isInstalled('ai');
const rows = installed
  ? [...(await createRows()), ...(await createCompatibleRows()), ...(await createAiSdkRows())]
  : [];

type Telemetry = ReturnType<typeof createAlsTelemetry>;

const labelOf = { plain: 'chat', stream: 'stream', tools: 'chat', embed: 'embed' } as const;

describe.skipIf(!installed)(`values of SDKs (${remedy})`, () => {
  let loopback: Loopback;
  beforeAll(async () => {
    loopback = await createLoopback();
  });
  afterAll(() => loopback.close());

  const runtime = { monotonic: () => loopback.requests.length * answerMs };
  const options = () => ({ fetch: redirect(loopback), runtime, onError: (error: Error) => errors.push(error) });
  const errors: Error[] = [];

  function run(row: Row, cell: Cell, fetch: Fetch, wrap: (client: object) => AnyMethod): Promise<unknown> {
    loopback.play([cell.answer]);
    return consume(wrap(row.client(fetch, loopback))(...cell.args(fetch)));
  }

  function check(row: Row, cell: Cell, column: (typeof columns)[number], telemetry: Telemetry, provider: string) {
    const { model, usage, finish, tools = [] } = cell.expected;
    expect(errors).toEqual([]);
    expect(telemetry.spans, row.sdk).toHaveLength(1);
    const [{ attributes, status }] = telemetry.spans as [Telemetry['spans'][number]];
    expect(status.code).not.toBe(2);
    expect({
      provider: attributes['llm.provider'],
      operation: attributes['llm.operation'],
      model: attributes['gen_ai.response.model'],
      usage: [attributes['gen_ai.usage.input_tokens'], attributes['gen_ai.usage.output_tokens']],
      finish: attributes['gen_ai.response.finish_reasons'],
      tools: attributes['llm.tool_names'],
      firstToken: attributes['gen_ai.response.time_to_first_chunk'],
    }).toEqual({
      provider,
      operation: labelOf[column],
      model,
      usage,
      finish: finish && [finish],
      tools,
      firstToken: column === 'stream' ? answerMs / 1000 : undefined,
    });
    expect(attributes['gen_ai.request.model']).toBeDefined();
    count(telemetry, cell);
  }

  /** One call, its tokens once. */
  function count(telemetry: Telemetry, { expected: { usage } }: Cell) {
    const value = (name: string, labels = {}) => telemetry.metrics.value(name, labels) ?? 0;
    expect(value('llm_requests_total')).toBe(1);
    expect(value('llm_tokens_total', { token_type: 'input' })).toBe(usage[0] ?? 0);
    expect(value('llm_tokens_total', { token_type: 'output' })).toBe(usage[1] ?? 0);
  }

  const cells = rows.flatMap((row) => columns.map((column) => [row.sdk, column, row, row[column]] as const));

  it('stand in a table without a hole', () => {
    expect(cells).toHaveLength(rows.length * columns.length);
    for (const [sdk, column, , cell] of cells) {
      if (typeof cell === 'string') expect(cell, `${sdk} ${column}`).toMatch(/^n\/a: \w/);
    }
  });

  const full = cells.flatMap(([sdk, column, row, cell]) =>
    typeof cell === 'string' ? [] : [[sdk, column, row, cell] as const],
  );

  it.each(full)('%s, %s: by llm(fn)', async (_, column, row, cell) => {
    const plain = await run(row, cell, redirect(loopback), (client) => find(client, cell.method));
    const telemetry = createAlsTelemetry(options());
    const result = await run(row, cell, redirect(loopback), (client) => telemetry.llm(find(client, cell.method)));
    if (!row.volatile) expect(result).toStrictEqual(plain);
    check(row, cell, column, telemetry, cell.byShape ?? cell.expected.provider);
  });

  it.each(full)('%s, %s: by wrap(client)', async (_, column, row, cell) => {
    const plain = await run(row, cell, redirect(loopback), (client) => find(client, cell.method));
    const telemetry = createAlsTelemetry(options());
    const result = await run(row, cell, redirect(loopback), (client) =>
      find(telemetry.wrap(client, { type: 'llm' }), cell.method),
    );
    if (!row.volatile) expect(result).toStrictEqual(plain);
    check(row, cell, column, telemetry, cell.expected.provider);
  });

  const fetched = full.filter(([, , row]) => !row.ownTransport);

  it.each(fetched)('%s, %s: by wrap(client) and fetch, counted once', async (_, _column, row, cell) => {
    const telemetry = createAlsTelemetry(options());
    await run(row, cell, telemetry.fetch, (client) => find(telemetry.wrap(client, { type: 'llm' }), cell.method));
    expect(telemetry.spans).toHaveLength(2);
    count(telemetry, cell);
  });

  const known = fetched.filter(([, , , cell]) => !cell.anonymous);

  it.each(known)('%s, %s: counted once by its id, without async context', async (_, _column, row, cell) => {
    const telemetry = createTestTelemetry(options());
    await run(row, cell, telemetry.fetch, (client) => telemetry.llm(find(client, cell.method)));
    expect(telemetry.spans).toHaveLength(2);
    count(telemetry, cell);
  });
});
