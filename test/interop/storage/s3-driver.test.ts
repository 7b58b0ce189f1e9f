import { it } from 'node:test';
import { objectContract } from '../../storage/drivers/object-contract.ts';
import { uploadContract } from '../../storage/drivers/upload-contract.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { findProgram, needs } from '../../support/programs.ts';

const stores = s3Drivers();

if (findProgram('versitygw') === undefined) {
  it('a store in a bucket is a driver', (t) => void needs(t, 'versitygw'));
} else {
  // The gateway keeps objects as files: a directory that is just emptied is in the way for a moment.
  objectContract({ name: 'S3', open: () => stores.open(), clockMs: 1000, freesPrefixes: false, tellsDeleter: false });
  uploadContract({ name: 'S3', open: () => stores.open(), seesHeld: false });
}
