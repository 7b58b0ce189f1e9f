/** Makes the registry that `ocictl serve` serves. A part of the composition root, loaded by that command alone. */
import { resolve } from 'node:path';
import type { Served, ServedOptions } from './app.ts';
import { OciError } from './model/errors.ts';
import { fromStoreName, parseReference, toStoreName } from './model/reference.ts';
import type { Registry } from './registry/registry.ts';
import { readOnly } from './registry/wrappers/read-only.ts';
import { renamed } from './registry/wrappers/renamed.ts';
import { openFilesystemDriver } from './storage/drivers/filesystem.ts';
import { createMemoryDriver } from './storage/drivers/memory.ts';
import { createStorage } from './storage/storage.ts';

/** @throws OciError USAGE when nothing or an impossible mirror was named. */
export async function openServed(options: ServedOptions, storeRoot: () => Promise<string>): Promise<Served> {
  const { registry, what, locked } = await openPlace(options, storeRoot);
  const mirrored = options.mirrorOf === undefined ? registry : mirrorOf(registry, options.mirrorOf);
  // Nobody may plant an image in an operator's local store over HTTP.
  const sealed = locked || options.readOnly === true;
  const description = [
    what,
    options.mirrorOf !== undefined && `as a mirror of ${options.mirrorOf}`,
    sealed && '(read-only)',
  ];
  return {
    registry: sealed ? readOnly(mirrored) : mirrored,
    what: description.filter(Boolean).join(' '),
    readOnly: sealed,
  };
}

async function openPlace(
  { root, memory, store }: ServedOptions,
  storeRoot: () => Promise<string>,
): Promise<{ registry: Registry; what: string; locked: boolean }> {
  if (root !== undefined) {
    const driver = await openFilesystemDriver({ root: resolve(root) });
    return { registry: createStorage({ driver, name: root }), what: root, locked: false };
  }
  if (memory) {
    return { registry: createStorage({ driver: createMemoryDriver(), name: 'memory' }), what: 'memory', locked: false };
  }
  if (store) {
    const driver = await openFilesystemDriver({ root: await storeRoot(), readOnly: true });
    const registry = createStorage({ driver, name: 'local store', sparseIndexes: true });
    return { registry, what: 'the local store', locked: true };
  }
  throw new OciError('USAGE', 'nothing to serve', {
    hint: 'name a directory with --root, or use --memory, or --store for the images that were pulled here',
  });
}

// `library/alpine` outside is the store's `docker.io/library/alpine`.
function mirrorOf(registry: Registry, domain: string): Registry {
  const { domain: canonical } = parseReference(`${domain}/a/b`);
  return renamed(registry, {
    inside: (path) => toStoreName({ domain: canonical, path }),
    outside: (name) => {
      const origin = fromStoreName(name);
      return origin?.domain === canonical.toLowerCase() ? origin.path : undefined;
    },
  });
}
