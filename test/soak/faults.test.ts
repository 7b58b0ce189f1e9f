import { drivers } from '../storage/drivers/every-driver.ts';
import { copyDirectory, describeFaults } from '../storage/faults/faults.ts';
import { s3Drivers } from '../support/programs/s3-drivers.ts';

const buckets = s3Drivers();

for (const [name, open] of drivers) {
  const copy = name === 'memory' ? undefined : copyDirectory;
  describeFaults({ name, open, copy, breaks: ['fails', 'fails after', 'stops'], every: 1 });
}

describeFaults({
  name: 'S3',
  open: () => buckets.open(),
  copy: (_, store) => buckets.copy(store),
  breaks: ['fails', 'fails after', 'stops'],
  every: 4,
});
