/** The images of a Docker daemon as a registry that is only read. Its repositories have names as in the local store. */
import type { SingleImage } from '../archive/single-image.ts';
import type { Digest } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import {
  familiarName,
  fromStoreName,
  isDigestReference,
  type Reference,
  type RepositoryName,
  type Tag,
  toStoreName,
} from '../model/reference/reference.ts';
import { limitOf } from '../registry/options.ts';
import { refusedWrites } from '../registry/refused-writes.ts';
import type { ListOptions, Registry, SignalOption } from '../registry/registry.ts';
import type { DaemonClient } from './client.ts';
import { Exports, type OpenExport } from './exports.ts';
import { inspectImage, listDaemonImages } from './images.ts';

/** An open daemon. */
export interface DaemonRegistry extends AsyncDisposable {
  readonly registry: Registry;
  /**
   * Exports an image.
   *
   * @param id Its ID, or the beginning of it.
   * @returns The digest of its manifest or index, and its names. @throws OciError MANIFEST_UNKNOWN
   */
  find(id: string, opts?: SignalOption): Promise<{ readonly root: Digest; readonly names: readonly Reference[] }>;
}

/**
 * Reads images of a daemon. An image is exported when something of it is first asked for, into a temporary file.
 *
 * A daemon that keeps no manifests has others in each export than the registry had from which the image came. Then a
 * manifest is found by its tag, and by its digest once it was read.
 */
export function createDaemonRegistry(client: DaemonClient, open: OpenExport): DaemonRegistry {
  const exports = new Exports(open);
  const { name } = client;
  const find = async <T>(
    repo: RepositoryName,
    reference: Tag | Digest,
    ask: (image: SingleImage, reference: Tag | Digest) => Promise<T>,
    opts?: SignalOption,
  ): Promise<T> => {
    opts?.signal?.throwIfAborted();
    const isDigest = isDigestReference(reference);
    const known = isDigest ? await exports.first((each) => ask(each, reference), 'MANIFEST_UNKNOWN') : undefined;
    if (known !== undefined) return known;
    const image = nameOf(repo, reference);
    const found = await unlessUnknown(inspectImage(client, image, opts));
    const exported = found && (await exports.of(found.id, opts));
    const answer = exported && (await unlessUnknown(ask(exported, isDigest ? reference : exported.root)));
    if (answer !== undefined) return answer;
    const hint = exported && 'the daemon keeps no manifests: name a tag, or the image ID that docker images shows';
    throw new OciError('MANIFEST_UNKNOWN', `${name} has no image ${image}`, { hint });
  };
  const refuse = async (): Promise<never> => {
    throw new OciError('DENIED', `${name} is only read: nothing can be pushed to it or deleted from it`);
  };
  const registry: Registry = {
    name,
    async ping(opts) {
      await listDaemonImages(client, opts);
      return { authorized: true, challenges: [] };
    },
    extension: () => undefined,
    statManifest: (repo, reference, opts) =>
      find(repo, reference, (each, known) => each.registry.statManifest(each.repo, known, opts), opts),
    getManifest: (repo, reference, opts) =>
      find(repo, reference, (each, known) => each.registry.getManifest(each.repo, known, opts), opts),
    async statBlob(repo, digest, opts) {
      opts?.signal?.throwIfAborted();
      const found = await exports.first((each) => each.registry.statBlob(each.repo, digest, opts), 'BLOB_UNKNOWN');
      if (found === undefined) throw blobUnknown(repo, digest);
      return found;
    },
    async getBlob(repo, blob, opts) {
      opts?.signal?.throwIfAborted();
      const found = await exports.first((each) => each.registry.getBlob(each.repo, blob, opts), 'BLOB_UNKNOWN');
      if (found === undefined) throw blobUnknown(repo, typeof blob === 'string' ? blob : blob.digest);
      return found;
    },
    repositories: (opts) =>
      sorted(async (all) => {
        for (const { names } of await listDaemonImages(client, opts))
          for (const each of names) all.add(toStoreName(each));
      }, opts),
    tags: (repo, opts) =>
      sorted(async (all) => {
        for (const { names } of await listDaemonImages(client, opts)) {
          for (const each of names) if (toStoreName(each) === repo && each.tag !== undefined) all.add(each.tag);
        }
        if (all.size === 0) throw new OciError('NAME_UNKNOWN', `${name} has no image ${repositoryOf(repo)}`);
      }, opts),
    async *referrers() {},
    ...refusedWrites(refuse),
  };
  function blobUnknown(repo: RepositoryName, digest: Digest): OciError {
    return new OciError('BLOB_UNKNOWN', `no image of ${repositoryOf(repo)} that was read has a blob ${digest}`);
  }
  return {
    registry,
    async find(wanted, opts) {
      const { id, names } = await inspectImage(client, wanted, opts);
      const { root } = await exports.of(id, opts);
      return { root, names };
    },
    [Symbol.asyncDispose]: () => exports.close(),
  };
}

async function* sorted<T extends string>(fill: (all: Set<T>) => Promise<void>, opts?: ListOptions): AsyncGenerator<T> {
  opts?.signal?.throwIfAborted();
  const all = new Set<T>();
  await fill(all);
  let left = limitOf(opts);
  for (const entry of [...all].sort()) {
    if (opts?.after !== undefined && entry <= opts.after) continue;
    if (left-- <= 0) return;
    yield entry;
  }
}

/** The name of an image as Docker writes it: `alpine:3`. */
function nameOf(repo: RepositoryName, reference: Tag | Digest): string {
  return `${repositoryOf(repo)}${isDigestReference(reference) ? '@' : ':'}${reference}`;
}

function repositoryOf(repo: RepositoryName): string {
  const place = fromStoreName(repo);
  return place === undefined ? repo : familiarName(place);
}
