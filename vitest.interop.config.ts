import { defineConfig } from 'vitest/config';
import { dashboardTestPlugin } from './scripts/dashboard.ts';

/** Tests against programs of others. One file after the other: each starts servers and may build what it needs. */
export default defineConfig({
  plugins: [dashboardTestPlugin],
  test: {
    include: ['test/interop/**/*.interop.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
