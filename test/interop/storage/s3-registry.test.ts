import { it } from 'node:test';
import { createStorage } from '../../../src/storage/storage.ts';
import { registryContract } from '../../contract/registry.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { findProgram, needs } from '../../support/programs.ts';

const stores = s3Drivers();

if (findProgram('versitygw') === undefined) {
  it('storage over a bucket keeps the contract of Registry', (t) => void needs(t, 'versitygw'));
} else {
  registryContract('storage over a bucket', async () => {
    return { registry: createStorage({ driver: await stores.open(), name: 'bucket', sparseIndexes: true }) };
  });
}
