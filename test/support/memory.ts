import type { Registry } from '../../src/registry/registry.ts';
import { createMemoryDriver } from '../../src/storage/drivers/memory.ts';
import { createStorage } from '../../src/storage/storage.ts';

/** A registry in memory. @param options.sparseIndexes Whether indexes may lack children, as in the local store. */
export function memoryRegistry(options: { readonly name?: string; readonly sparseIndexes?: boolean } = {}): Registry {
  const { name = 'memory', sparseIndexes = false } = options;
  return createStorage({ driver: createMemoryDriver(), name, sparseIndexes });
}
