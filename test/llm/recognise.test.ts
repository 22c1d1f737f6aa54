import { describe, expect, it } from 'vitest';
import { defineProvider, type Gateway, type Provider, type ProviderRequest } from '../../src/llm/provider.ts';
import { findAnswering, recognise } from '../../src/llm/recognise.ts';

const at = (hostname: string, more: Partial<Provider> = {}): Provider =>
  defineProvider({
    name: hostname.split('.')[0]!,
    match: ({ url }) => (url.hostname === hostname ? 'chat' : undefined),
    request: ({ body }) => ({ model: (body as { model?: string } | undefined)?.model }),
    response: (json) => ({ id: (json as { id: string }).id }),
    ...more,
  });

const request: ProviderRequest = {
  url: new URL('https://gate.test/acme/chat'),
  method: 'POST',
  headers: new Headers(),
  body: { model: 'm', stream: true },
};
const replyTo = (status = 200) => ({
  status,
  headers: new Headers(),
  request: { provider: 'acme', model: 'm', operation: 'chat', stream: false },
});
const acme = at('acme.test');
const gate = (gateway: Gateway, more: Partial<Provider> = {}) => at('gate.test', { gateway, ...more });
const toAcme = { url: new URL('https://acme.test/chat') };

function setUp(gateway: Gateway, others: readonly Provider[] = [acme], more: Partial<Provider> = {}) {
  const errors: unknown[] = [];
  const report = (error: unknown) => errors.push(error);
  const providers = [gate(gateway, more), ...others];
  const go = (reply?: Headers, sent = request) => {
    const found = recognise(providers, sent, report)!;
    return findAnswering(found, sent, providers, report, reply);
  };
  return { providers, errors, go };
}

describe('recognise', () => {
  it('answers the first that knows the address, and only for POST', () => {
    const providers = [acme, at('acme.test', { name: 'second' })];
    const url = new URL('https://acme.test/chat');
    expect(recognise(providers, { url, method: 'POST' }, () => {})).toEqual({ provider: acme, operation: 'chat' });
    expect(recognise(providers, { url, method: 'GET' }, () => {})).toBeUndefined();
  });

  it('passes over a provider that throws', () => {
    const errors: unknown[] = [];
    const bad = at('x', {
      match() {
        throw new Error('no');
      },
    });
    const found = recognise([bad, acme], { url: toAcme.url, method: 'POST' }, (error) => errors.push(error));
    expect(found?.provider).toBe(acme);
    expect(errors).toHaveLength(1);
  });
});

describe('findAnswering', () => {
  it('leaves alone who is no gateway, and what the gateway itself answers', () => {
    const { go, providers } = setUp({ upstream: () => undefined });
    expect(go()).toEqual({ provider: providers[0], operation: 'chat', request });
    const found = { provider: acme, operation: 'chat' };
    expect(findAnswering(found, request, providers, () => {})).toEqual({ ...found, request });
  });

  it('finds who stands behind, by address and body', () => {
    const embedder = at('acme.test', { match: ({ url }) => (url.hostname === 'acme.test' ? 'embed' : undefined) });
    const { go, providers } = setUp({ upstream: () => ({ ...toAcme, body: { model: 'inner' } }) }, [embedder]);
    const seen = go();
    expect(seen).toMatchObject({ operation: 'embed', gateway: providers[0], provider: { name: 'acme' } });
    expect(seen.request).toEqual({ ...request, ...toAcme, body: { model: 'inner' } });
    expect(seen.provider.request(seen.request)).toEqual({ model: 'inner' });
  });

  it('is as sure of the vendor as the gateway’s host makes it', () => {
    const { go } = setUp({ upstream: () => toAcme }, [at('acme.test', { priority: -1 })]);
    expect(go().provider.priority ?? 0).toBe(0);
  });

  it('keeps the body that the gateway does not change', () => {
    expect(setUp({ upstream: () => toAcme }).go().request.body).toBe(request.body);
  });

  it('stays with the gateway where nobody else is known', () => {
    const { go } = setUp({ upstream: () => ({ url: new URL('https://unknown.test'), body: { model: 'inner' } }) });
    const seen = go();
    expect(seen).toMatchObject({ operation: 'chat', provider: { name: 'gate' }, gateway: { name: 'gate' } });
    expect(seen.provider.request(seen.request)).toEqual({ model: 'inner' });
  });

  it('follows once, even to the gateway’s own address', () => {
    expect(setUp({ upstream: ({ url }) => ({ url }) }).go().provider.name).toBe('gate');
  });

  it('gives a vendor in another one’s format its own name', () => {
    const vendor = at('vendor.test', { semconvName: 'vendor.ai' });
    const gateway = { upstream: () => ({ ...toAcme, provider: 'vendor' }) };
    expect(setUp(gateway, [acme, vendor]).go().provider).toMatchObject({ name: 'vendor', semconvName: 'vendor.ai' });
    const alone = setUp(gateway).go().provider;
    expect(alone).toMatchObject({ name: 'vendor', semconvName: 'vendor' });
    expect(alone.response({ id: '1' }, replyTo())).toEqual({ id: '1' });
  });

  it('tells by the reply who has answered', () => {
    const { go } = setUp({ upstream: (_, reply) => (reply?.has('x-acme') ? toAcme : { url: request.url }) });
    expect(go().provider.name).toBe('gate');
    expect(go(new Headers({ 'x-acme': '1' })).provider.name).toBe('acme');
  });

  it('survives a gateway that throws', () => {
    const fail = () => {
      throw new Error('no');
    };
    const broken = setUp({ upstream: fail });
    expect(broken.go()).toEqual({ provider: broken.providers[0], operation: 'chat', request });
    expect(broken.errors).toHaveLength(1);
    const late = setUp({ upstream: () => toAcme, response: fail });
    expect(late.go().provider.response({ id: '1' }, replyTo())).toEqual({ id: '1' });
    expect(late.errors).toHaveLength(1);
  });

  it('takes providers that are instances of a class', () => {
    class Acme implements Provider {
      readonly name = 'acme';
      readonly #model = 'of the class';
      match({ url }: { url: URL }) {
        return url.hostname === 'acme.test' ? 'chat' : undefined;
      }
      request() {
        return { model: this.#model };
      }
      response() {
        return { id: this.#model };
      }
      stream() {
        return { event: () => {}, result: () => this.response() };
      }
    }
    const { provider, request: behind } = setUp({ upstream: () => toAcme }, [new Acme()]).go();
    expect(provider.request(behind)).toEqual({ model: 'of the class' });
    expect(provider.response({}, replyTo())).toEqual({ id: 'of the class' });
    expect(provider.stream!(replyTo()).result()).toEqual({ id: 'of the class' });
  });
});

describe('what the gateway adds', () => {
  const withUsage = at('acme.test', {
    response: () => ({ usage: { input: 2 }, attributes: { a: 1, b: 1 } }),
    stream: () => ({
      event: () => 'content' as const,
      matters: (data) => data === 'yes',
      result: () => ({ usage: { input: 3 } }),
    }),
  });

  it('wins over the vendor’s words, knowing them and the request as it was sent', () => {
    const seen: unknown[] = [];
    const { go } = setUp(
      {
        upstream: () => toAcme,
        response(reply, response, sent) {
          seen.push(reply.status, sent);
          return { costUsd: (response.usage?.input ?? 0) * 10, attributes: { b: 2 } };
        },
      },
      [withUsage],
    );
    const { provider } = go();
    expect(provider.response({}, replyTo())).toEqual({
      usage: { input: 2 },
      attributes: { a: 1, b: 2 },
      costUsd: 20,
    });
    expect(seen).toEqual([200, request]);
    const reader = provider.stream!(replyTo());
    expect(reader.event({ json: {} })).toBe('content');
    expect([reader.matters!('yes', undefined), reader.matters!('no', undefined)]).toEqual([true, false]);
    expect(reader.result()).toEqual({ usage: { input: 3 }, costUsd: 30, attributes: { b: 2 } });
  });

  it('is its own error, where the vendor behind knows none', () => {
    const error = { type: 'rate_limited' };
    const own = { response: () => ({ error }) };
    expect(
      setUp({ upstream: () => toAcme }, [acme], own)
        .go()
        .provider.response({}, replyTo(429)).error,
    ).toEqual(error);
    expect(
      setUp({ upstream: () => toAcme }, [acme], own)
        .go()
        .provider.response({}, replyTo(200)).error,
    ).toBeUndefined();
    const theirs = at('acme.test', { response: () => ({ error: { type: 'theirs' } }) });
    const seen = setUp({ upstream: () => toAcme }, [theirs], own)
      .go()
      .provider.response({}, replyTo(429));
    expect(seen.error).toEqual({ type: 'theirs' });
  });
});

it('a wish for usage is the vendor’s', () => {
  const wishful = at('acme.test', { includeUsage: ({ body }) => ({ ...(body as object), usage: true }) });
  const { provider, request: behind } = setUp({ upstream: () => toAcme }, [wishful]).go();
  expect(provider.includeUsage!(behind)).toEqual({ model: 'm', stream: true, usage: true });
  expect(setUp({ upstream: () => toAcme }).go().provider.includeUsage).toBeUndefined();
});
