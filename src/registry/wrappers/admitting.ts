import { admission } from '../admission.ts';
import type { ExtensionKey } from '../extensions.ts';
import type { Registry } from '../registry.ts';

type Admit = NonNullable<(typeof admission)['type']>['admit'];

/** A registry of which transfers copy only what is admitted. Reading is not restricted. */
export function admitting(registry: Registry, admit: Admit): Registry {
  return {
    name: registry.name,
    extension: <T>(key: ExtensionKey<T>) =>
      key === (admission as ExtensionKey<unknown>) ? ({ admit, registry } as T) : registry.extension(key),
    ping: (opts) => registry.ping(opts),
    statBlob: (repo, digest, opts) => registry.statBlob(repo, digest, opts),
    getBlob: (repo, blob, opts) => registry.getBlob(repo, blob, opts),
    statManifest: (repo, reference, opts) => registry.statManifest(repo, reference, opts),
    getManifest: (repo, reference, opts) => registry.getManifest(repo, reference, opts),
    repositories: (opts) => registry.repositories(opts),
    tags: (repo, opts) => registry.tags(repo, opts),
    referrers: (repo, digest, opts) => registry.referrers(repo, digest, opts),
    pushBlob: (repo, descriptor, source, opts) => registry.pushBlob(repo, descriptor, source, opts),
    startUpload: (repo, opts) => registry.startUpload(repo, opts),
    resumeUpload: (repo, id, opts) => registry.resumeUpload(repo, id, opts),
    mountBlob: (repo, digest, opts) => registry.mountBlob(repo, digest, opts),
    pushManifest: (repo, manifest, opts) => registry.pushManifest(repo, manifest, opts),
    deleteBlob: (repo, digest, opts) => registry.deleteBlob(repo, digest, opts),
    deleteManifest: (repo, digest, opts) => registry.deleteManifest(repo, digest, opts),
    deleteTag: (repo, tag, opts) => registry.deleteTag(repo, tag, opts),
  };
}
