import { defineConfig } from 'tsup';
import { entry, workersEntry } from './tsup.config.ts';

export default defineConfig([
  { entry, format: 'esm', dts: { only: true } },
  { entry: workersEntry, format: 'esm', dts: { only: true }, tsconfig: 'adapters/workers/tsconfig.json' },
]);
