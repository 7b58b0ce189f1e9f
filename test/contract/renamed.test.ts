import { parseRepositoryName, type RepositoryName } from '../../src/model/reference/reference.ts';
import { renamed } from '../../src/registry/wrappers/renamed.ts';
import { memoryRegistry } from '../support/memory.ts';
import { registryContract } from './registry.ts';

const prefix = 'docker.io/';

// As in `serve --store --mirror-of docker.io`: names inside have a prefix that is outside the grammar of ordinary names.
registryContract('a storage under other names', async () => ({
  registry: renamed(memoryRegistry({ sparseIndexes: true }), {
    inside: (name) => parseRepositoryName(`${prefix}${name}`),
    outside: (name) => (name.startsWith(prefix) ? (name.slice(prefix.length) as RepositoryName) : undefined),
  }),
}));
