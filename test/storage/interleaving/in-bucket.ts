import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import type { S3Drivers } from '../../support/programs/s3-drivers.ts';
import type { Place } from './places.ts';
import { fill } from './world.ts';

/** A bucket, in which each store has a prefix. It is filled once, and then copied. */
export function inBucket(drivers: S3Drivers): Place {
  return {
    name: 'in a bucket',
    purgesByAge: true,
    async open(_, parts) {
      const filled = await drivers.open();
      await fill(filled, parts);
      return () => drivers.copy(filled);
    },
    // Both layouts are distribution's, and the gateway keeps objects as files: three of four requests were for this look.
    look: async (driver) => await openFilesystemDriver({ root: await drivers.directoryOf(driver), readOnly: true }),
  };
}
