import { checkArgument, checkFields, checkRegistry } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
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

/** A set of repositories. */
export interface Scope {
  /** Whether a repository is seen. */
  contains(repo: RepositoryName): boolean;
}

/** Every repository there is. */
export const globalScope: Scope = { contains: () => true };

/** A repository and all below it: `team` contains `team` and `team/app`, not `teammate`. */
export function pathScope(path: RepositoryName): Scope {
  checkArgument('pathScope', 'the path', path, 'string');
  return { contains: (repo) => repo === path || repo.startsWith(`${path}/`) };
}

/**
 * A registry that hides the repositories outside a scope: reads there fail with NAME_UNKNOWN, writes with DENIED, and
 * no blob is mounted from there. Capabilities over all repositories (all blobs, garbage collection) are refused.
 */
export function scoped(registry: Registry, scope: Scope): Registry {
  checkRegistry('scoped', registry);
  checkFields('scoped', 'the scope', scope, { contains: 'function' });
  const outside = (repo: RepositoryName): OciError | undefined =>
    scope.contains(repo)
      ? undefined
      : new OciError('NAME_UNKNOWN', `repository ${repo} is not known to ${registry.name}`);
  const read = async <T>(repo: RepositoryName, ask: () => Promise<T>): Promise<T> => {
    const error = outside(repo);
    if (error) throw error;
    return await ask();
  };
  const write = async <T>(repo: RepositoryName, ask: () => Promise<T>): Promise<T> => {
    if (scope.contains(repo)) return await ask();
    throw new OciError('DENIED', `repository ${repo} is outside the repositories that can be changed here`);
  };
  const list = async function* <T>(repo: RepositoryName, entries: () => AsyncIterable<T>): AsyncGenerator<T> {
    const error = outside(repo);
    if (error) throw error;
    yield* entries();
  };
  const inScope = (repo: RepositoryName | undefined): RepositoryName | undefined =>
    repo !== undefined && scope.contains(repo) ? repo : undefined;
  const extensions = new Map<ExtensionKey<unknown>, () => unknown>([
    wrap(registry, blobLocator, (inner) => ({
      locate: (repo, digest, opts) => read(repo, () => inner.locate(repo, digest, opts)),
    })),
    wrap(registry, manifestEnumerator, (inner) => ({
      manifests: (repo, opts) => list(repo, () => inner.manifests(repo, opts)),
    })),
    wrap(registry, repositoryRemover, (inner) => ({
      removeRepository: (repo, opts) => write(repo, () => inner.removeRepository(repo, opts)),
    })),
    wrap(registry, tagHistory, (inner) => ({
      history: (repo, tag, opts) => list(repo, () => inner.history(repo, tag, opts)),
    })),
    wrap(registry, endpointReport, (inner) => inner),
    wrap(registry, connecting, (inner) => inner),
    wrap(registry, leases, (inner) => inner),
    wrap(registry, storageCheck, (inner) => inner),
  ]);
  return {
    name: registry.name,
    ping: (opts) => registry.ping(opts),
    extension: <T>(key: ExtensionKey<T>) => extensions.get(key)?.() as T | undefined,
    statBlob: (repo, digest, opts) => read(repo, () => registry.statBlob(repo, digest, opts)),
    getBlob: (repo, blob, opts) => read(repo, () => registry.getBlob(repo, blob, opts)),
    statManifest: (repo, reference, opts) => read(repo, () => registry.statManifest(repo, reference, opts)),
    getManifest: (repo, reference, opts) => read(repo, () => registry.getManifest(repo, reference, opts)),
    pushBlob: (repo, descriptor, source, opts) =>
      write(repo, () => registry.pushBlob(repo, descriptor, source, { ...opts, mountFrom: inScope(opts?.mountFrom) })),
    startUpload: (repo, opts) => write(repo, () => registry.startUpload(repo, opts)),
    resumeUpload: (repo, id, opts) => write(repo, () => registry.resumeUpload(repo, id, opts)),
    // Without a source, a registry may look for the blob in all its repositories.
    mountBlob: (repo, digest, opts) =>
      write(repo, () =>
        inScope(opts?.from) === undefined
          ? registry.startUpload(repo, { signal: opts?.signal })
          : registry.mountBlob(repo, digest, opts),
      ),
    pushManifest: (repo, manifest, opts) => write(repo, () => registry.pushManifest(repo, manifest, opts)),
    deleteBlob: (repo, digest, opts) => write(repo, () => registry.deleteBlob(repo, digest, opts)),
    deleteManifest: (repo, digest, opts) => write(repo, () => registry.deleteManifest(repo, digest, opts)),
    deleteTag: (repo, tag, opts) => write(repo, () => registry.deleteTag(repo, tag, opts)),
    repositories: (opts) => listScope(registry, scope, opts),
    tags: (repo, opts) => list(repo, () => registry.tags(repo, opts)),
    async *referrers(repo, digest, opts) {
      if (scope.contains(repo)) yield* registry.referrers(repo, digest, opts);
    },
  };
}

async function* listScope(
  registry: Registry,
  scope: Scope,
  { limit, ...opts }: ListOptions = {},
): AsyncGenerator<RepositoryName> {
  let left = limitOf({ limit });
  if (left === 0) return;
  for await (const repo of registry.repositories(opts)) {
    if (!scope.contains(repo)) continue;
    yield repo;
    left -= 1;
    if (left === 0) return;
  }
}

function wrap<T>(
  registry: Registry,
  key: ExtensionKey<T>,
  wrapped: (extension: T) => T,
): [ExtensionKey<unknown>, () => unknown] {
  return [
    key,
    () => {
      const extension = registry.extension(key);
      return extension && wrapped(extension);
    },
  ];
}
