/** The places that calls of the library read and write. */
import { findDaemon } from '../config/docker/daemon-endpoint.ts';
import { loadSettings } from '../config/settings.ts';
import { OciError } from '../model/errors.ts';
import { hostPlatform } from '../model/platform/platform.ts';
import type { PlaceSources } from '../places/place.ts';
import type { RegistryService } from '../service/service.ts';
import { openFilesystemDriver } from '../storage/drivers/filesystem.ts';
import { createStorage } from '../storage/storage.ts';

export function placesOf(service: RegistryService, signal: AbortSignal): PlaceSources {
  return {
    signal,
    remote: (reference, intent) => service.open(reference, intent),
    store: async () => {
      const { storeRoot } = await loadSettings();
      if (storeRoot === undefined)
        throw new OciError('STORAGE', 'there is no place for the local store: set $OCICTL_ROOT');
      const driver = await openFilesystemDriver({ root: storeRoot.value });
      return createStorage({ driver, name: 'the local store', sparseIndexes: true });
    },
    stdin: () => process.stdin,
    stdout: () => ({ write: writeOut }),
    platform: async () => hostPlatform(),
    note: () => {},
    async dockerDaemon() {
      const { environment, dockerConfigDir } = await loadSettings();
      return findDaemon(environment, dockerConfigDir?.value);
    },
    imageName: async (word) => word,
  };
}

function writeOut(chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
