import type { Registry } from '../../src/registry/registry.ts';
import { memoryRegistry } from '../support/memory.ts';
import { registryContract } from './registry.ts';
import { wrappers } from './wrapped.ts';

// The interop tier has a storage behind each of them alone.
registryContract('a storage behind all wrappers', async () => {
  let registry: Registry = memoryRegistry({ sparseIndexes: true });
  for (const wrap of Object.values(wrappers)) registry = await wrap(registry);
  return { registry };
});
