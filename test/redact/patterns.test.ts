import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPrices } from '../../src/index.ts';
import { patterns } from '../../src/redact/patterns.ts';

type Name = keyof typeof patterns;

const secrets: Record<Name, readonly string[]> = {
  email: ['jane.doe+news@mail.example.com', 'müller@bücher.example', "o'neil@x.io"],
  phone: ['+49 30 901820', '+1 (555) 123-4567', '(555) 123-4567', '555-123-4567', '+4930901820', '555.123.4567'],
  card: ['4111 1111 1111 1111', '4111111111111111', '3782-822463-10005', '5500005555555559'],
  ssn: ['123-45-6789', '123 45 6789'],
  apiKey: [
    'sk-abcdefghijklmnopqrstuvwx',
    'sk-proj-AbC_123-defGHI456jklMNO789',
    'sk-ant-api03-AbCdEfGhIjKlMnOpQrSt-uvwx',
    'AIzaSyA1234567890abcdefghijklmnopqrstu',
    'AKIAIOSFODNN7EXAMPLE',
    'gsk_abcdefghijklmnop1234',
    'xai-abcdefghijklmnop1234',
    'pplx-abcdefghijklmnop1234',
    'hf_abcdefghijklmnop1234',
    'ghp_abcdefghijklmnop1234',
    'whsec_abcdefghijklmnop1234',
    'GOCSPX-abcdefghijklmnop1234',
  ],
  bearer: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'],
};

const all = (text: string) => Object.values(patterns).reduce((left, pattern) => pattern.redact(left), text);

describe.each(Object.keys(secrets) as Name[])('%s', (name) => {
  const pattern = patterns[name];

  it.each(secrets[name])('takes %s out, wherever it stands', (secret) => {
    expect(pattern.name).toBe(name);
    for (const text of [
      secret,
      `a ${secret} b`,
      `"${secret}",`,
      `(${secret})`,
      `${secret}\n${secret}`,
      `is: ${secret}.`,
    ]) {
      const left = pattern.redact(text);
      expect(left).not.toContain(secret);
      expect(left).toBe(text.replaceAll(secret, '[REDACTED]'));
    }
  });

  it('changes nothing twice', () => {
    for (const secret of secrets[name]) {
      const once = pattern.redact(`a ${secret} b`);
      expect(pattern.redact(once)).toBe(once);
    }
  });
});

describe('what stands behind a name', () => {
  it.each([
    ['https://x.example/v1?key=1&api_key=s3cr3t-value&b=2', 's3cr3t-value'],
    ['{"api_key": "s3cr3t-value", "b": 1}', 's3cr3t-value'],
    ['x-goog-api-key: s3cr3t-value', 's3cr3t-value'],
    ['password=hunter22', 'hunter22'],
    // In a JSON text inside of another, as the arguments of a tool.
    ['{"arguments":"{\\"password\\": \\"hunter22\\"}"}', 'hunter22'],
    ['password=hun\\ter22', 'hun\\ter22'],
    ['MISTRAL_API_KEY=s3cr3tvalue', 's3cr3tvalue'],
    ['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG', 'wJalrXUtnFEMI/K7MDENG'],
    ['AWS_SESSION_TOKEN: FwoGZXIvYXdzEabc', 'FwoGZXIvYXdzEabc'],
    ['https://generativelanguage.example/v1?key=plainvalue&alt=sse', 'plainvalue'],
    ['connect postgres://admin:hunter2@localhost:5432/x failed', 'hunter2'],
    ['redis://:hunter2@h:6379', 'hunter2'],
    [
      '-----BEGIN RSA PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0B-----END RSA PRIVATE KEY-----',
      'MIIEvQIBADANBgkqhkiG9w0B',
    ],
  ])('goes from %s', (text, secret) => {
    expect(patterns.apiKey.redact(text)).toBe(text.replace(secret, '[REDACTED]'));
  });

  it.each(['Authorization: Bearer abcdef123456', 'bearer abcdef123456', 'Basic dXNlcjpwYXNz'])(
    'goes from %s',
    (text) => {
      expect(patterns.bearer.redact(text)).toMatch(/(bearer|basic) \[REDACTED\]$/i);
    },
  );
});

describe('the patterns leave alone', () => {
  it('every model that has a price', () => {
    for (const id of Object.keys(defaultPrices)) expect(all(id)).toBe(id);
  });

  it.each([
    '0af7651916cd43dd8448eb211c80319c',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'chatcmpl-ASYMQRl3A3DXL9FWCK9tnGRcKIO7q',
    '2026-11-21T14:37:26.123Z',
    '2026-11-21',
    '1.2.3',
    '127.0.0.1:4318',
    '550e8400-e29b-41d4-a716-446655440000',
    'gen_ai.usage.input_tokens',
    '4111111111111112',
    '000-12-3456',
    'a task-oriented and risk-averse description of things',
    'The answer is 42, 3.14159 or 1234567890.',
    'max_tokens: 12345, secretary: Anna, design=modern',
    'http://localhost:4318/v1/traces?a=1@b',
  ])('%s', (text) => {
    expect(all(text)).toBe(text);
  });
});

describe('any text', () => {
  /** Pieces that make careless expressions try everything. */
  const piece = fc.constantFrom(
    'a',
    '@',
    '.',
    '-',
    '1',
    ' ',
    '+',
    '(',
    ')',
    'sk-',
    'eyJ',
    'bearer ',
    'key=',
    '://',
    '-----BEGIN PRIVATE KEY-----',
    '\\',
    '"',
    ':',
    '_',
    '\n',
  );

  it('takes time by its length alone, else this would not come to an end', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const text = pieces.join('').repeat(20_000).slice(0, 100_000);
        expect(typeof all(text)).toBe('string');
      }),
      { numRuns: 60 },
    );
  });

  it('stays a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(typeof all(text)).toBe('string');
      }),
    );
  });
});
