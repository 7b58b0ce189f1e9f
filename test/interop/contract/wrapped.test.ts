import { registryContract } from '../../contract/registry.ts';
import { wrappers } from '../../contract/wrapped.ts';
import { memoryRegistry } from '../../support/memory.ts';

for (const [what, wrap] of Object.entries(wrappers)) {
  registryContract(`a storage ${what}`, async () => ({
    registry: await wrap(memoryRegistry({ sparseIndexes: true })),
  }));
}
