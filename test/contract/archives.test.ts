import { archivedRegistry, tarDocker, tarOci } from '../support/archives/archived-registry.ts';
import { registryContract } from './registry.ts';

const oneRepository = 'an archive has one repository without a name: every name means it';
const lacks = {
  'several-repositories': oneRepository,
  'blobs-per-repository': oneRepository,
  'cross-repository-sessions': oneRepository,
  'list-paging': 'an archive has no catalog',
};

registryContract('an OCI archive', async (t) => ({ registry: await archivedRegistry(t, tarOci) }), lacks);
registryContract('an archive of Docker', async (t) => ({ registry: await archivedRegistry(t, tarDocker) }), lacks);
