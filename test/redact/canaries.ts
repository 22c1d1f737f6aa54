import type { patterns } from '../../src/redact/patterns.ts';

/** One of each class, and a part of it that must not be seen anywhere. */
export const canaries: Readonly<Record<keyof typeof patterns, readonly [secret: string, part: string]>> = {
  email: ['canary.person@mail.example.com', 'canary.person'],
  phone: ['(555) 867-5309', '867-5309'],
  card: ['4111 1111 1111 1111', '1111 1111'],
  ssn: ['536-22-8145', '22-8145'],
  apiKey: ['sk-proj-canarycanarycanarycanary12', 'canarycanary'],
  bearer: ['Bearer canarytoken.canarytoken-1234567890', 'canarytoken'],
};
