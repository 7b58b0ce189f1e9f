import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import { fromStoreName, type Reference, type RepositoryName, toStoreName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';

/**
 * Finds a repository of a registry that probably holds a blob: one of the same domain that the blob was pulled from or
 * pushed to, according to the local store.
 */
export async function mountSource(
  store: Registry,
  reference: Pick<Reference, 'domain' | 'path'>,
  opts: SignalOption = {},
): Promise<(digest: Digest) => Promise<RepositoryName | undefined>> {
  const own = toStoreName(reference);
  const candidates: { readonly name: RepositoryName; readonly path: RepositoryName }[] = [];
  for await (const name of store.repositories(opts)) {
    const origin = fromStoreName(name);
    if (name !== own && origin?.domain.toLowerCase() === reference.domain.toLowerCase()) {
      candidates.push({ name, path: origin.path });
    }
  }
  return async (digest) => {
    for (const { name, path } of candidates) {
      if (await unlessUnknown(store.statBlob(name, digest, opts), 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) return path;
    }
    return undefined;
  };
}
