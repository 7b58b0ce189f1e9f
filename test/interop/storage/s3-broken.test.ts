import { it } from 'node:test';
import { describeFaults } from '../../storage/faults/faults.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { findProgram, needs } from '../../support/programs.ts';

const stores = s3Drivers();

// The soak tier breaks more of the calls.
if (findProgram('versitygw') === undefined) {
  it('a store in a bucket whose calls break', (t) => void needs(t, 'versitygw'));
} else {
  describeFaults({
    name: 'S3',
    open: () => stores.open(),
    copy: (_, store) => stores.copy(store),
    breaks: ['fails after', 'stops'],
    every: 24,
  });
}
