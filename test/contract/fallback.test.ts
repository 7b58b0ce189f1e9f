import { fallback } from '../../src/registry/wrappers/fallback/fallback.ts';
import { memoryRegistry } from '../support/memory.ts';
import { registryContract } from './registry.ts';

registryContract('one registry behind the fallback wrapper', async () => {
  const registry = memoryRegistry({ sparseIndexes: true });
  return { registry: fallback([{ name: 'memory', kind: 'origin', open: async () => registry }]) };
});
