import { execFile } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import type { Driver } from '../../../src/storage/driver.ts';
import { createS3Driver } from '../../../src/storage/drivers/s3/driver.ts';
import { createTransport, type Transport } from '../../../src/transport/transport.ts';
import type { Scope } from '../sandbox.ts';
import { type S3Gateway, startVersitygw } from './versitygw.ts';

export interface S3DriverOptions {
  /** Below which the store is. Default: one of its own. */
  readonly prefix?: string;
  /** Size of parts. Default 5 MiB, the least. */
  readonly chunkBytes?: number;
  /** As of the settings of the driver. */
  readonly copyPartBytes?: number;
  /** Where requests are sent, if not to the gateway itself. */
  readonly url?: string;
}

/** Drivers for stores in one bucket, which all tests of a file share. */
export interface S3Drivers {
  gateway(): Promise<S3Gateway>;
  open(options?: S3DriverOptions): Promise<Driver>;
  /** Opens a driver for a copy of a store in the bucket, which is made of the files that its objects are. */
  copy(store: Driver): Promise<Driver>;
  /** Where the objects of a store are files. */
  directoryOf(store: Driver): Promise<string>;
}

const exec = promisify(execFile);

/** To be called by a test file, outside its tests. The gateway starts with the first driver. @param sidecar As for {@link startVersitygw}. */
export function s3Drivers({ sidecar = false } = {}): S3Drivers {
  const ends: (() => unknown)[] = [];
  const file: Scope = { after: (end) => void ends.push(end as () => unknown) };
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  let shared: Promise<S3Gateway> | undefined;
  const transports = new Map<string, Transport>();
  let opened = 0;
  const gateway = (): Promise<S3Gateway> => {
    shared ??= startVersitygw(file, { sidecar });
    return shared;
  };
  const drivers: S3Drivers = {
    gateway,
    async open({ prefix, chunkBytes = 5 * 1024 * 1024, copyPartBytes, url } = {}) {
      opened += 1;
      // Before the first wait, or several that are opened at once would be one.
      const own = prefix ?? `store-${opened}`;
      const { bucket, region, accessKey, secretKey, url: gatewayUrl } = await gateway();
      const endpoint = new URL(url ?? gatewayUrl);
      const transport = transports.get(endpoint.href) ?? createTransport({ base: endpoint });
      if (!transports.has(endpoint.href)) ends.push(() => transport.close());
      transports.set(endpoint.href, transport);
      return createS3Driver({
        settings: {
          bucket,
          prefix: own,
          endpoint,
          region,
          pathStyle: true,
          chunkBytes,
          copyPartBytes,
        },
        send: (request) => transport.request(request),
        keys: async () => ({ accessKeyId: accessKey, secretAccessKey: secretKey }),
        warn: () => {},
      });
    },
    async copy(store) {
      opened += 1;
      const prefix = `store-${opened}`;
      const from = await drivers.directoryOf(store);
      // What the gateway knows of objects is in the attributes of the files.
      await exec('cp', ['-a', from, join(dirname(from), prefix)]);
      return await drivers.open({ prefix });
    },
    directoryOf: async ({ name }) => join((await gateway()).directory, basename(name)),
  };
  return drivers;
}
