import { createDescriptorCache } from '../../src/registry/descriptor-cache.ts';
import { cachedDescriptors } from '../../src/registry/wrappers/cached-descriptors.ts';
import { memoryRegistry } from '../support/memory.ts';
import { registryContract } from './registry.ts';

registryContract('a storage behind a cache of descriptors', async () => ({
  registry: cachedDescriptors(memoryRegistry({ sparseIndexes: true }), createDescriptorCache()),
}));
