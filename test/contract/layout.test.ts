import { openLayout } from '../../src/layout/layout.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { registryContract } from './registry.ts';

const oneRepository = 'a layout has one repository without a name: every name means it';

registryContract(
  'an OCI layout',
  async (t) => ({ registry: await openLayout({ directory: await temporaryDirectory(t), create: true }) }),
  {
    'several-repositories': oneRepository,
    'blobs-per-repository': oneRepository,
    'cross-repository-sessions': oneRepository,
    'list-paging': 'a layout has no catalog',
  },
);
