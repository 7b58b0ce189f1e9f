import { openLayout } from '../../src/layout/layout.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { registryContract } from './registry.ts';

registryContract('an OCI layout', async (t) => ({
  registry: await openLayout({ directory: await temporaryDirectory(t), create: true }),
}));
