import { defineConfig } from 'vitest/config';

/** Tests against programs of others. One file after the other: each starts servers and may build what it needs. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.interop.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
