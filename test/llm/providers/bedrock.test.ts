import { describe, expect, it } from 'vitest';
import { bedrock } from '../../../src/llm/providers/bedrock.ts';
import { host, readRequest, replyOf, respond } from './bedrock-calls.ts';

const match = (url: string, method = 'POST') => bedrock.match({ url: new URL(url), method });
const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1%3A0';

describe('match', () => {
  it.each([
    [`${host}/model/${claude}/converse`, 'chat'],
    [`${host}/model/${claude}/converse-stream`, 'chat'],
    [`${host}/model/${claude}/invoke`, 'chat'],
    [`${host}/model/${claude}/invoke-with-response-stream`, 'chat'],
    [`${host}/model/amazon.titan-embed-text-v2:0/invoke`, 'embed'],
    [`${host}/model/cohere.embed-v4%3A0/invoke`, 'embed'],
    [`${host}/model/cohere.rerank-v3-5%3A0/invoke`, 'rerank'],
    [`${host}/model/stability.sd3-5-large-v1%3A0/invoke`, 'image_generation'],
    [`${host}/model/amazon.nova-canvas-v1%3A0/invoke`, 'image_generation'],
    [`${host}/model/${claude}/count-tokens`, 'count_tokens'],
    [`${host}/openai/v1/chat/completions`, 'chat'],
    ['https://bedrock-mantle.eu-west-1.api.aws/v1/responses', 'chat'],
    ['https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages', 'chat'],
    ['https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages/count_tokens', 'count_tokens'],
    ['http://127.0.0.1:4566/model/amazon.nova-lite-v1%3A0/converse', 'chat'],
    ['https://proxy.internal/bedrock/model/meta.llama3-1-8b-instruct-v1:0/invoke', 'chat'],
    [`${host}/model/${claude}/invoke-with-bidirectional-stream`, undefined],
    [`${host}/guardrail/g/version/1/apply`, undefined],
    [`${host}/async-invoke`, undefined],
    ['https://proxy.internal/v1/chat/completions', undefined],
    ['https://proxy.internal/anthropic/v1/messages', undefined],
    ['https://ml.internal/v1/model/fraud/invoke', undefined],
  ])('%s is %s', (url, operation) => {
    expect(match(url)).toBe(operation);
  });

  it('only takes POST', () => {
    expect(match(`${host}/model/${claude}/converse`, 'GET')).toBeUndefined();
  });

  it('comes after vendors whose hosts are known, before those known by paths that many share', () => {
    expect(bedrock.priority).toBeLessThan(0);
    expect(bedrock.priority).toBeGreaterThan(-1);
    expect(bedrock.owns!(new URL(host))).toBe(true);
    expect(bedrock.owns!(new URL('https://s3.us-east-1.amazonaws.com'))).toBe(false);
  });
});

describe('region', () => {
  it.each([
    ['bedrock-runtime.us-east-1.amazonaws.com', 'us-east-1'],
    ['bedrock-runtime-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['bedrock-runtime.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['bedrock-runtime.eusc-de-east-1.amazonaws.eu', 'eusc-de-east-1'],
    ['bedrock-runtime.us-iso-east-1.c2s.ic.gov', 'us-iso-east-1'],
    ['bedrock-runtime.ap-southeast-4.api.aws', 'ap-southeast-4'],
    ['vpce-0a1b2c-d3e4f5.bedrock-runtime.eu-central-1.vpce.amazonaws.com', 'eu-central-1'],
    ['bedrock-mantle.us-west-2.api.aws', 'us-west-2'],
    ['proxy.internal', undefined],
  ])('of %s is %s', (name, region) => {
    const { parameters } = readRequest(`https://${name}/model/amazon.nova-lite-v1:0/converse`);
    expect(parameters?.['cloud.region']).toBe(region);
  });
});

describe('model', () => {
  const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3';
  it.each([
    ['amazon.nova-lite-v1%3A0', 'amazon.nova-lite-v1:0'],
    ['amazon.nova-lite-v1:0', 'amazon.nova-lite-v1:0'],
    [encodeURIComponent(arn), arn],
    [arn, arn],
    ['a.%E0%A4%A', 'a.%E0%A4%A'],
  ])('%s', (segment, model) => {
    expect(readRequest(`/model/${segment}/converse`).model).toBe(model);
  });

  it('of an ARN that names it is priced by its own name', () => {
    const named = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0';
    const json = { output: { message: {} }, stopReason: 'end_turn', usage: { inputTokens: 1, outputTokens: 1 } };
    const pricedAs = (model: string) =>
      respond(`/model/${encodeURIComponent(model)}/converse`, json).response.attributes?.['edgespan.pricing.model'];
    expect(pricedAs(named)).toBe('us.amazon.nova-lite-v1:0');
    expect(pricedAs('arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0')).toBe('amazon.nova-pro-v1:0');
    expect(pricedAs(arn)).toBeUndefined();
  });
});

describe('errors', () => {
  const path = `/model/${claude}/converse`;
  const errorOf = (json: unknown, headers: Record<string, string> = {}, at = path) =>
    respond(at, json, { status: 400, headers }).response.error;

  it('are named by a header, else in the body, else by the status', () => {
    const named = { 'x-amzn-errortype': 'ValidationException:http://internal.amazon.com/coral/' };
    expect(errorOf({ message: 'no' }, named)).toEqual({ type: 'ValidationException', message: 'no' });
    expect(errorOf({ __type: 'com.amazon.coral.service#ThrottlingException', Message: 'slow' })).toEqual({
      type: 'ThrottlingException',
      message: 'slow',
    });
    expect(errorOf({ message: 'Forbidden' })).toEqual({ type: '400', message: 'Forbidden' });
  });

  it('are read on every path, and are no faults', () => {
    const headers = { 'x-amzn-errortype': 'AccessDeniedException', 'x-amzn-requestid': 'r' };
    const paths = [path, `/model/${claude}/invoke`, `/model/${claude}/count-tokens`, '/openai/v1/chat/completions'];
    for (const at of [...paths, 'https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages']) {
      expect(respond(at, { message: 'no' }, { status: 403, headers }), at).toEqual({
        response: { error: { type: 'AccessDeniedException', message: 'no' }, attributes: { 'aws.request_id': 'r' } },
        faulty: false,
      });
    }
  });

  it('of the hosted APIs are those APIs’ own', () => {
    const error = { error: { type: 'invalid_request_error', code: 'model_not_found', message: 'm' } };
    expect(errorOf(error, {}, '/openai/v1/chat/completions')).toEqual(error.error);
  });
});

describe('hosted APIs', () => {
  const mantle = 'https://bedrock-mantle.us-east-1.api.aws';

  it('are those of OpenAI and Anthropic', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const choices = [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }];
    const { response, faulty } = respond(
      `${mantle}/v1/chat/completions`,
      { id: 'c', model: 'openai.gpt-oss-20b', choices, usage },
      { headers: { 'x-amzn-requestid': 'r' } },
    );
    expect(response).toEqual({
      id: 'c',
      model: 'openai.gpt-oss-20b',
      usage: { input: 3, output: 2, total: 5 },
      finishReasons: ['stop'],
      attributes: { 'aws.request_id': 'r' },
    });
    expect(faulty).toBe(false);
    const message = { type: 'message', role: 'assistant', id: 'm', content: [], stop_reason: 'end_turn' };
    const counted = { ...message, usage: { input_tokens: 4, output_tokens: 1 } };
    expect(respond(`${mantle}/anthropic/v1/messages`, counted).response).toMatchObject({
      id: 'm',
      usage: { input: 4, output: 1 },
    });
  });

  it('stream', () => {
    const reply = replyOf(`${mantle}/v1/chat/completions`, { headers: { 'x-amzn-requestid': 'r' } });
    const reader = bedrock.stream!(reply);
    const choices = [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }];
    expect(reader.event({ json: { id: 'c', choices } })).toBe('content');
    expect(reader.result()).toEqual({ id: 'c', finishReasons: ['stop'], attributes: { 'aws.request_id': 'r' } });
  });

  it('take their model from the body, their guardrail from headers', () => {
    const headers = { 'x-amzn-bedrock-guardrailidentifier': 'g', 'x-amzn-bedrock-guardrailversion': '2' };
    expect(readRequest(`${mantle}/v1/responses`, { model: 'xai.grok-4', max_output_tokens: 9 }, headers)).toEqual({
      model: 'xai.grok-4',
      stream: false,
      maxTokens: 9,
      guardrail: { id: 'g', version: '2' },
      parameters: {
        'gen_ai.request.max_tokens': 9,
        'openai.api.type': 'responses',
        'cloud.region': 'us-east-1',
        'aws.bedrock.guardrail.id': 'g',
      },
    });
  });

  it('are nobody’s values: OpenAI’s and Anthropic’s are read by those', () => {
    expect(bedrock.accepts!({ choices: [{ message: { content: 'Hi' } }] })).toBe(false);
    expect(bedrock.accepts!({ type: 'message', role: 'assistant', content: [] })).toBe(false);
  });
});

it('counting tokens uses none', () => {
  expect(respond(`/model/${claude}/count-tokens`, { inputTokens: 12 })).toEqual({ response: {}, faulty: false });
});
