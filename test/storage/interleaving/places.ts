/** Where the operations meet: an empty driver for each meeting, always with the same content. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Driver } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { type Scope, temporaryDirectory } from '../../support/sandbox.ts';
import { fill, type Part } from './world.ts';

export interface Place {
  readonly name: string;
  /**
   * Whether uploads are purged by their age alone, so that a purge of all ages also takes what a living process has just begun.
   * Elsewhere a process holds its uploads.
   */
  readonly purgesByAge?: boolean;
  /** Returns a function that opens a new filled driver with each call. */
  open(t: Scope, parts: ReadonlySet<Part>): Promise<() => Promise<Driver>>;
  /** Opens what a driver has stored in a cheaper way, to look at it when the operations have ended. Default: the driver itself. */
  look?(driver: Driver): Promise<Driver>;
}

export const inMemory: Place = {
  name: 'in memory',
  open: async (_, parts) => async () => {
    const driver = createMemoryDriver();
    await fill(driver, parts);
    return driver;
  },
};

export const inDirectory: Place = {
  name: 'in a directory',
  async open(t, parts) {
    const directory = await temporaryDirectory(t);
    const filled = join(directory, 'filled');
    await fill(await openFilesystemDriver({ root: filled }), parts);
    let copies = 0;
    return async () => {
      copies += 1;
      const root = join(directory, String(copies));
      await cp(filled, root, { recursive: true });
      return await openFilesystemDriver({ root });
    };
  },
};
