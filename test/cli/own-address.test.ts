import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isOwnAddress } from '../../adapters/cli/own-address.ts';

const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list);
const v4 = addresses.find(({ family }) => family === 'IPv4')!.address;

describe('an address that is one’s own', () => {
  it.each([
    ['http://localhost:4318', '127.0.0.1', 4318],
    ['http://LOCALHOST.:4318/v1', '127.0.0.1', 4318],
    ['http://127.0.0.1:4318', 'localhost', 4318],
    ['http://[::1]:4318', 'localhost', 4318],
    ['http://[0:0:0:0:0:0:0:1]:4318', '::1', 4318],
    ['http://0.0.0.0:4318', '127.0.0.1', 4318],
    ['http://127.1:4318', '127.0.0.1', 4318],
    ['http://localhost', '0.0.0.0', 80],
    ['https://localhost', '::', 443],
    [`http://${v4}:4318`, '0.0.0.0', 4318],
    ['http://127.0.0.7:4318', '::', 4318],
    ['http://collector.test:4318', 'collector.test', 4318],
  ])('%s on %s:%i', (url, host, port) => expect(isOwnAddress(url, host, port)).toBe(true));

  it.each([
    ['http://localhost:4319', '127.0.0.1', 4318],
    ['http://localhost', '127.0.0.1', 4318],
    ['http://otlp.example.com:4318', '0.0.0.0', 4318],
    ['http://192.0.2.1:4318', '127.0.0.1', 4318],
    ['http://192.0.2.1:4318', '0.0.0.0', 4318],
    // Two may listen on one port here.
    ['http://127.0.0.2:4318', '127.0.0.1', 4318],
    ['http://localhost:4318', '192.0.2.1', 4318],
    ['http://localhost:0', '127.0.0.1', 4318],
    ['http://localhost:4318', 'no host', 4318],
  ])('is not %s on %s:%i', (url, host, port) => expect(isOwnAddress(url, host, port)).toBe(false));
});
