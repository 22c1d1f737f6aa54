export { createRedisBudgetStore, type RedisBudgetStoreOptions } from './budget-store.ts';
export type { Ioredis, NodeRedis, RedisClient, UpstashRedis } from './client.ts';
export { createRedisMetricStore, type RedisMetricStoreOptions } from './metric-store.ts';
