import { archivedRegistry } from '../support/archives/archived-registry.ts';
import { registryContract } from './registry.ts';

const oneRepository = 'a layout has one repository without a name: every name means it';

registryContract('an OCI archive', async (t) => ({ registry: await archivedRegistry(t) }), {
  'several-repositories': oneRepository,
  'blobs-per-repository': oneRepository,
  'cross-repository-sessions': oneRepository,
  'list-paging': 'a layout has no catalog',
});
