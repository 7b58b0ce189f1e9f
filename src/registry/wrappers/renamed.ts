import { checkFields, checkRegistry } from '../../model/check-arguments.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import {
  blobLocator,
  connecting,
  type ExtensionKey,
  endpointReport,
  leases,
  manifestEnumerator,
  repositoryRemover,
  storageCheck,
  tagHistory,
} from '../extensions.ts';
import { limitOf } from '../options.ts';
import type { ListOptions, Registry } from '../registry.ts';

/** A mapping of repository names. `outside` is the inverse of `inside`, and undefined for a hidden repository. */
export interface Renaming {
  /** The name that the registry gets. */
  inside(outer: RepositoryName): RepositoryName;
  /** The name that callers see; undefined: it is hidden from them. */
  outside(inner: RepositoryName): RepositoryName | undefined;
}

/**
 * A registry under other repository names. Capabilities over all repositories (all blobs, garbage collection) are
 * refused: they would show or remove what is outside of this view.
 */
export function renamed(registry: Registry, names: Renaming): Registry {
  checkRegistry('renamed', registry);
  checkFields('renamed', 'the renaming', names, { inside: 'function', outside: 'function' });
  const inside = (repo: RepositoryName): RepositoryName => names.inside(repo);
  const extensions = extensionsOf(registry, inside);
  return {
    name: registry.name,
    ping: (opts) => registry.ping(opts),
    extension: <T>(key: ExtensionKey<T>) => extensions.get(key)?.() as T | undefined,
    statBlob: (repo, digest, opts) => registry.statBlob(inside(repo), digest, opts),
    getBlob: (repo, blob, opts) => registry.getBlob(inside(repo), blob, opts),
    statManifest: (repo, reference, opts) => registry.statManifest(inside(repo), reference, opts),
    getManifest: (repo, reference, opts) => registry.getManifest(inside(repo), reference, opts),
    pushBlob: (repo, descriptor, source, opts) =>
      registry.pushBlob(inside(repo), descriptor, source, {
        ...opts,
        mountFrom: opts?.mountFrom && inside(opts.mountFrom),
      }),
    startUpload: (repo, opts) => registry.startUpload(inside(repo), opts),
    resumeUpload: (repo, id, opts) => registry.resumeUpload(inside(repo), id, opts),
    mountBlob: (repo, digest, opts) =>
      registry.mountBlob(inside(repo), digest, { ...opts, from: opts?.from && inside(opts.from) }),
    pushManifest: (repo, manifest, opts) => registry.pushManifest(inside(repo), manifest, opts),
    deleteBlob: (repo, digest, opts) => registry.deleteBlob(inside(repo), digest, opts),
    deleteManifest: (repo, digest, opts) => registry.deleteManifest(inside(repo), digest, opts),
    deleteTag: (repo, tag, opts) => registry.deleteTag(inside(repo), tag, opts),
    repositories: (opts) => listRenamed(registry, names, opts),
    tags: (repo, opts) => registry.tags(inside(repo), opts),
    referrers: (repo, digest, opts) => registry.referrers(inside(repo), digest, opts),
  };
}

// The new names may sort differently, so all of them are read before the first is yielded.
async function* listRenamed(
  registry: Registry,
  names: Renaming,
  opts: ListOptions = {},
): AsyncGenerator<RepositoryName> {
  const limit = limitOf(opts);
  if (limit === 0) return;
  const found: RepositoryName[] = [];
  for await (const inner of registry.repositories({ signal: opts.signal })) {
    const outer = names.outside(inner);
    if (outer !== undefined && (opts.after === undefined || outer > opts.after)) found.push(outer);
  }
  yield* found.sort().slice(0, limit);
}

function extensionsOf(registry: Registry, inside: Renaming['inside']): Map<ExtensionKey<unknown>, () => unknown> {
  const wrap = <T>(key: ExtensionKey<T>, wrapped: (extension: T) => T): [ExtensionKey<unknown>, () => unknown] => [
    key,
    () => {
      const extension = registry.extension(key);
      return extension && wrapped(extension);
    },
  ];
  return new Map([
    wrap(connecting, (inner) => inner),
    wrap(blobLocator, (inner) => ({ locate: (repo, digest, opts) => inner.locate(inside(repo), digest, opts) })),
    wrap(manifestEnumerator, (inner) => ({ manifests: (repo, opts) => inner.manifests(inside(repo), opts) })),
    wrap(repositoryRemover, (inner) => ({
      removeRepository: (repo, opts) => inner.removeRepository(inside(repo), opts),
    })),
    wrap(tagHistory, (inner) => ({ history: (repo, tag, opts) => inner.history(inside(repo), tag, opts) })),
    wrap(endpointReport, (inner) => inner),
    wrap(leases, (inner) => inner),
    wrap(storageCheck, (inner) => inner),
  ]);
}
