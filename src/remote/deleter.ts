import { repositoryScope } from '../auth/scopes.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { SignalOption } from '../registry/registry.ts';
import type { Route } from '../wire/routes.ts';
import type { RemoteClient, Subject } from './client.ts';
import type { ManifestReader } from './manifest-reader.ts';
import { shownName, shownReference } from './names.ts';
import type { Referrers } from './referrers.ts';

const turnedOff = 'deletes are disabled there; the operator of the registry can enable them';

/** Deletes in a remote registry. */
export class RemoteDeleter {
  readonly #client: RemoteClient;
  readonly #manifests: ManifestReader;
  readonly #referrers: Referrers;

  constructor(client: RemoteClient, manifests: ManifestReader, referrers: Referrers) {
    this.#client = client;
    this.#manifests = manifests;
    this.#referrers = referrers;
  }

  async deleteBlob(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void> {
    const subject = this.#subject(repo, `blob ${digest}`, 'BLOB_UNKNOWN');
    await this.#delete(repo, { name: 'blob', repo, digest }, subject, turnedOff, opts?.signal);
  }

  /** Also removes it from the list of its subject, if the registry does not maintain that itself. */
  async deleteManifest(repo: RepositoryName, digest: Digest, opts?: SignalOption): Promise<void> {
    const signal = opts?.signal;
    const listedUnder = await this.#subjectOf(repo, digest, signal);
    const what = `manifest for ${shownReference(this.#client.name, repo, digest)}`;
    const subject = this.#subject(repo, what, 'MANIFEST_UNKNOWN');
    await this.#delete(repo, { name: 'manifest', repo, reference: digest }, subject, turnedOff, signal);
    if (listedUnder && !(await this.#referrers.supported(repo, listedUnder, signal))) {
      await this.#referrers.tags.remove(repo, listedUnder, digest, signal);
    }
  }

  async deleteTag(repo: RepositoryName, tag: Tag, opts?: SignalOption): Promise<void> {
    const what = `manifest for ${shownReference(this.#client.name, repo, tag)}`;
    const subject = this.#subject(repo, what, 'MANIFEST_UNKNOWN');
    const hint = 'it cannot remove a tag alone; remove the manifest by its digest, with all its tags';
    await this.#delete(repo, { name: 'manifest', repo, reference: tag }, subject, hint, opts?.signal);
  }

  async #delete(
    repo: RepositoryName,
    route: Route,
    subject: Subject,
    unsupportedHint: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const url = this.#client.url(route);
    const scopes = [repositoryScope(repo, 'delete', 'pull')];
    const response = await this.#client.send({ method: 'DELETE', url, scopes, idempotent: true, signal });
    if ([200, 202, 204].includes(response.status)) return response.body.discard();
    const error = await this.#client.error(response, subject);
    // docker-registry 2.8 reports a tag as an invalid digest.
    if (error.code !== 'UNSUPPORTED' && !isOciError(error, 'DIGEST_INVALID')) throw error;
    throw new OciError('UNSUPPORTED', `${this.#client.name} does not delete: ${error.message}`, {
      hint: unsupportedHint,
      status: error.status,
      endpoint: error.endpoint,
    });
  }

  async #subjectOf(repo: RepositoryName, digest: Digest, signal: AbortSignal | undefined): Promise<Digest | undefined> {
    try {
      return (await this.#manifests.getManifest(repo, digest, { signal })).view.subject?.digest;
    } catch (error) {
      // A manifest that is too large or malformed can still be deleted.
      if (isOciError(error, 'MANIFEST_INVALID', 'TOO_LARGE', 'DIGEST_MISMATCH')) return undefined;
      throw error;
    }
  }

  #subject(repo: RepositoryName, what: string, notFound: 'BLOB_UNKNOWN' | 'MANIFEST_UNKNOWN'): Subject {
    return { what, repository: shownName(this.#client.name, repo), action: 'delete', notFound };
  }
}
