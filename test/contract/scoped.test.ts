import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { scoped } from '../../src/registry/wrappers/scoped.ts';
import { memoryRegistry } from '../support/memory.ts';
import { registryContract } from './registry.ts';

const hidden = parseRepositoryName('hidden/app');

registryContract('a storage of which a part is seen', async () => {
  const behind = memoryRegistry({ sparseIndexes: true });
  await (await behind.startUpload(hidden))[Symbol.asyncDispose]();
  return { registry: scoped(behind, { contains: (repo) => repo !== hidden }) };
});
