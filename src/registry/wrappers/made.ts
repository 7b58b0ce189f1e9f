import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { isDigestReference } from '../../model/reference/reference.ts';
import type { BlobSource } from '../content.ts';
import { refusedWrites } from '../refused-writes.ts';
import type { Registry } from '../registry.ts';

/** What is not in any registry yet. */
interface Made {
  /** Of what was made, in messages. */
  readonly name: string;
  readonly manifests: readonly Manifest[];
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly source: BlobSource }[];
  /** Where the rest is; absent if there is no rest. */
  readonly under?: Registry | undefined;
}

/** A registry that has what was made, to be read by a transfer. Whatever repository is named has it. */
export function madeRegistry({ name, manifests, blobs, under }: Made): Registry {
  const byDigest = new Map(blobs.map((blob) => [blob.descriptor.digest, blob]));
  const made = new Map<string, Manifest>(manifests.map((manifest) => [manifest.descriptor.digest, manifest]));
  const noManifest = (reference: string): OciError =>
    new OciError('MANIFEST_UNKNOWN', `${name} has no manifest ${reference}`);
  const noBlob = (digest: Digest): OciError => new OciError('BLOB_UNKNOWN', `${name} has no blob ${digest}`);
  async function* nothing(): AsyncGenerator<never, void, undefined> {}
  return {
    name: under?.name ?? name,
    ping: async (opts) => under?.ping(opts) ?? { authorized: true, challenges: [] },
    extension: (key) => under?.extension(key),
    async getManifest(repo, reference, opts) {
      const own = made.get(reference);
      if (own) return own;
      if (under && isDigestReference(reference)) return await under.getManifest(repo, reference, opts);
      throw noManifest(reference);
    },
    async statManifest(repo, reference, opts) {
      const own = made.get(reference);
      if (own) return own.descriptor;
      if (under && isDigestReference(reference)) return await under.statManifest(repo, reference, opts);
      throw noManifest(reference);
    },
    async getBlob(repo, blob, opts) {
      const digest = typeof blob === 'string' ? blob : blob.digest;
      const own = byDigest.get(digest);
      if (own) return await own.source.open(opts?.range?.start ?? 0, { signal: opts?.signal });
      if (under) return await under.getBlob(repo, blob, opts);
      throw noBlob(digest);
    },
    async statBlob(repo, digest, opts) {
      const own = byDigest.get(digest);
      if (own) return own.descriptor;
      if (under) return await under.statBlob(repo, digest, opts);
      throw noBlob(digest);
    },
    repositories: nothing,
    tags: nothing,
    referrers: nothing,
    ...refusedWrites(async () => {
      throw new OciError('DENIED', `${name} is only read`);
    }),
  };
}
