import { asObject, asString } from '../../json.ts';
import type { LlmResponse, Reply } from '../provider.ts';
import { present } from './wire.ts';

/** `com.amazon.coral#ThrottlingException:http://…` and a stream's `throttlingException` are one and the same. */
function shorten(type: string | undefined): string | undefined {
  const name = type?.replace(/:.*/s, '').replace(/^.*#/s, '');
  return name && name[0]!.toUpperCase() + name.slice(1);
}

/** An error of AWS's, in a body or an event. */
export function parseAwsError(json: unknown, reply: Reply): LlmResponse['error'] {
  const body = asObject(json);
  const named = asString(body?.__type);
  if (reply.status < 400 && !named) return undefined;
  const type = shorten(asString(reply.headers.get('x-amzn-errortype')) ?? named ?? asString(body?.code));
  return present({
    type: type ?? String(reply.status),
    message: asString(body?.message) ?? asString(body?.Message),
  });
}

const modelArn = /^arn:[^/]*:(?:foundation-model|inference-profile)\/(.+)$/;

/** The model that an ARN names; those of application inference profiles and provisioned throughput hide theirs. */
function modelOfArn(model: string | undefined): string | undefined {
  return model && modelArn.exec(model)?.[1];
}

/** The model to be paid, where it is another than the reply names: what the whole world serves may cost less. */
function findServing({ usage, model }: LlmResponse, asked: string | undefined): string | undefined {
  const named = modelOfArn(asked);
  const known = named ?? asked;
  if (!usage || (model && !known?.startsWith('global.'))) return undefined;
  return model ? known : named;
}

/** What the reply's headers and address add to whatever the body says. */
export function withReply(response: LlmResponse, reply: Reply): LlmResponse {
  const attributes = present({
    'edgespan.pricing.model': findServing(response, reply.request.model),
    'edgespan.service_tier': asString(reply.headers.get('x-amzn-bedrock-service-tier')),
    ...response.attributes,
    'aws.request_id': asString(reply.headers.get('x-amzn-requestid')),
  });
  return { ...response, ...(attributes && { attributes }) };
}
