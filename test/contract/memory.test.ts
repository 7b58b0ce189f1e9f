import { memoryRegistry } from '../support/memory.ts';
import { registryContract } from './registry.ts';

registryContract('storage over memory', async () => ({ registry: memoryRegistry({ sparseIndexes: true }) }));
