import { checkRegistry } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import {
  blobEnumerator,
  blobLocator,
  type ExtensionKey,
  endpointReport,
  manifestEnumerator,
  storageCheck,
  tagHistory,
} from '../extensions.ts';
import { refusedWrites } from '../refused-writes.ts';
import type { Registry } from '../registry.ts';

/** Capabilities that only read. A new one is refused until it is listed here. */
const reading: ReadonlySet<ExtensionKey<unknown>> = new Set<ExtensionKey<unknown>>([
  blobEnumerator,
  blobLocator,
  manifestEnumerator,
  tagHistory,
  endpointReport,
  storageCheck,
]);

/** A registry that can only be read. @throws OciError DENIED from every write and delete. */
export function readOnly(registry: Registry): Registry {
  checkRegistry('readOnly', registry);
  const refuse = async (): Promise<never> => {
    throw new OciError('DENIED', `${registry.name} is read-only: nothing can be pushed to it or deleted from it`);
  };
  return {
    name: registry.name,
    ping: (opts) => registry.ping(opts),
    extension: (key) => (reading.has(key) ? registry.extension(key) : undefined),
    statBlob: (repo, digest, opts) => registry.statBlob(repo, digest, opts),
    getBlob: (repo, blob, opts) => registry.getBlob(repo, blob, opts),
    statManifest: (repo, reference, opts) => registry.statManifest(repo, reference, opts),
    getManifest: (repo, reference, opts) => registry.getManifest(repo, reference, opts),
    repositories: (opts) => registry.repositories(opts),
    tags: (repo, opts) => registry.tags(repo, opts),
    referrers: (repo, digest, opts) => registry.referrers(repo, digest, opts),
    ...refusedWrites(refuse),
  };
}
