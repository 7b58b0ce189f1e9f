import { type Digest, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import { isObject } from '../model/json.ts';
import { asArray, parseJsonObject } from '../model/json-fields.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { fallbackTag } from '../registry/referrers.ts';
import { changeUntilItStays } from '../registry/settled-change.ts';
import type { RemoteClient } from './client.ts';
import { putManifest } from './manifest-put.ts';
import type { ManifestReader } from './manifest-reader.ts';

const askedAtOnce = 8;

/** The manifests of a list, edited; undefined if the list is as it should be. Entries may be anything. */
type Edit = (manifests: readonly unknown[]) => readonly unknown[] | undefined;

/**
 * Lists of referrers that clients maintain, as indexes under fallback tags.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
export class FallbackTags {
  readonly #client: RemoteClient;
  readonly #manifests: ManifestReader;
  /** The last change of each tag. Changes by this process run one after the other. */
  readonly #changes = new Map<string, Promise<unknown>>();

  constructor(client: RemoteClient, manifests: ManifestReader) {
    this.#client = client;
    this.#manifests = manifests;
  }

  /** The list of a subject; undefined if there is none, or something else is under its tag. */
  async read(repo: RepositoryName, subject: Digest, signal: AbortSignal | undefined): Promise<Manifest | undefined> {
    const found = await this.#find(repo, subject, signal);
    return found && isList(found) ? found : undefined;
  }

  /**
   * Adds a manifest, which is stored, to the list of its subject.
   *
   * @throws OciError as the registry refuses to read or write the tag; MANIFEST_INVALID if it holds no index; UNAVAILABLE if
   * other clients keep overwriting the list.
   */
  add(repo: RepositoryName, subject: Digest, entry: Descriptor, signal: AbortSignal | undefined): Promise<void> {
    const edit: Edit = (manifests) =>
      manifests.some((one) => isEntryOf(one, entry.digest)) ? undefined : [...manifests, entry];
    return this.#change(repo, subject, edit, signal);
  }

  /** Removes a manifest, which was deleted, from the list of its subject. @throws OciError as {@link add}. */
  async remove(repo: RepositoryName, subject: Digest, digest: Digest, signal: AbortSignal | undefined): Promise<void> {
    const edit: Edit = (manifests) => {
      const left = manifests.filter((one) => !isEntryOf(one, digest));
      return left.length === manifests.length ? undefined : left;
    };
    try {
      await this.#change(repo, subject, edit, signal);
    } catch (error) {
      throw isOciError(error) && !signal?.aborted ? stillListed(digest, subject, error) : error;
    }
  }

  async #change(repo: RepositoryName, subject: Digest, edit: Edit, signal: AbortSignal | undefined): Promise<void> {
    const { retry } = this.#client.transport;
    await changeUntilItStays(
      'the list',
      () => this.#inTurn(`${repo}@${subject}`, () => this.#write(repo, subject, edit, signal)),
      async (ms, writes) => {
        await retry.pause(writes, { signal, leastMs: ms, mostMs: ms });
      },
    );
  }

  /** @returns Whether something had to be written. */
  async #write(repo: RepositoryName, subject: Digest, edit: Edit, signal: AbortSignal | undefined): Promise<boolean> {
    const tag = fallbackTag(subject);
    const found = await this.#find(repo, subject, signal);
    if (found && !isList(found)) {
      throw new OciError('MANIFEST_INVALID', `the tag ${tag} of ${repo} is not the index it should be`, {
        hint: `look at it with ocictl inspect; if nothing needs it, delete it with ocictl delete`,
      });
    }
    const list = found ? parseJsonObject(found.bytes) : { schemaVersion: 2, mediaType: mediaTypes.ociIndex };
    const manifests = edit(asArray(list['manifests'] ?? [], 'manifests'));
    if (!manifests) return false;
    for (let entries = manifests; ; ) {
      try {
        const bytes = Buffer.from(JSON.stringify({ ...list, manifests: entries }));
        await putManifest(this.#client, repo, tag, { mediaType: mediaTypes.ociIndex, bytes }, { signal });
        return true;
      } catch (error) {
        // It names a manifest that another client has deleted, and has not taken out of the list, or never will.
        if (!isOciError(error, 'MANIFEST_BLOB_UNKNOWN')) throw error;
        const left = await this.#present(repo, entries, signal);
        if (left.length === entries.length) throw error;
        entries = left;
      }
    }
  }

  /** The entries without those whose manifests are gone. */
  async #present(
    repo: RepositoryName,
    entries: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<readonly unknown[]> {
    const left: unknown[] = [];
    const look = async (entry: unknown): Promise<readonly unknown[]> => {
      const digest = isObject(entry) ? tryParseDigest(entry['digest']) : undefined;
      if (digest === undefined) return [entry];
      return (await unlessUnknown(this.#manifests.statManifest(repo, digest, { signal }))) ? [entry] : [];
    };
    for await (const kept of inOrder(entries, askedAtOnce, look)) left.push(...kept);
    return left;
  }

  async #find(repo: RepositoryName, subject: Digest, signal: AbortSignal | undefined): Promise<Manifest | undefined> {
    const found = await unlessUnknown(this.#manifests.getManifest(repo, fallbackTag(subject), { signal }));
    // GitLab reads such a tag as the digest, and shows the image itself.
    return found?.descriptor.digest === subject ? undefined : found;
  }

  #inTurn<T>(key: string, run: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(key) ?? Promise.resolve();
    const change = before
      .catch(() => {})
      .then(run)
      .finally(() => {
        if (this.#changes.get(key) === change) this.#changes.delete(key);
      });
    this.#changes.set(key, change);
    return change;
  }
}

function isList({ view, mediaType }: Manifest): boolean {
  return view.kind === 'index' && mediaType === mediaTypes.ociIndex;
}

function isEntryOf(entry: unknown, digest: Digest): boolean {
  return isObject(entry) && entry['digest'] === digest;
}

function stillListed(digest: Digest, subject: Digest, cause: OciError): OciError {
  const { code, message, hint, status, endpoint, retryable, retryAfterMs } = cause;
  return new OciError(code, `${digest} was deleted, but is still listed as referring to ${subject}: ${message}`, {
    ...{ hint, status, endpoint, retryable, retryAfterMs, cause },
  });
}
