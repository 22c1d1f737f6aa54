import { defineConfig } from 'vitest/config';
import { dashboardTestPlugin } from './scripts/dashboard.ts';

export default defineConfig({
  plugins: [dashboardTestPlugin],
  test: { include: ['test/**/*.test.ts'], exclude: ['**/node_modules/**'], testTimeout: 60_000, hookTimeout: 120_000 },
});
