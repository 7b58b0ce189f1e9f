import { openLayout } from '../../src/layout/layout.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { registryContract } from './registry.ts';

const oneRepository = 'a layout has one repository without a name: every name means it';

/** What asks for several repositories without being marked so: it runs, and is expected to fail. */
const severalRepositories: ReadonlySet<string> = new Set([
  'keeps a manifest in other repositories',
  'removes a blob from a repository, not from others',
  'says that a repository to list is unknown',
  'lists repositories, sorted, nested ones among them',
  'lists more than a hundred repositories',
  'keeps repositories apart',
]);

registryContract(
  'an OCI layout',
  async (t) => {
    if (severalRepositories.has(t.name)) t.todo(oneRepository);
    return { registry: await openLayout({ directory: await temporaryDirectory(t), create: true }) };
  },
  {
    'blobs-per-repository': oneRepository,
    'cross-repository-sessions': oneRepository,
    'list-paging': 'a layout has no catalog',
  },
);
