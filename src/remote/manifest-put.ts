import { repositoryScope } from '../auth/scopes.ts';
import { type Digest, digestAlgorithm, digestBytes, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { RawManifest } from '../model/manifest/manifest.ts';
import { digestedPart } from '../model/manifest/schema1.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import { digestMismatch } from '../registry/content.ts';
import type { SignalOption } from '../registry/registry.ts';
import { type HttpResponse, header } from '../transport/http.ts';
import { headers } from '../wire/headers.ts';
import type { RemoteClient } from './client.ts';
import { shownName, shownReference } from './names.ts';

/** Additional time for a PUT: registries look up every blob that a manifest references. About a second for 25 blobs. */
const checkedBytesPerMs = 5;
const maxCheckMs = 240_000;
/** How often a manifest is sent at most, if the registry misreads a file that another client is just writing. */
const attempts = 4;
/** The size that every registry accepts. */
const usualMaxBytes = 4 * 1024 * 1024;

/**
 * Stores a manifest under a tag or its digest.
 *
 * @param opts.tags Tags for the registry to set in the same request. It lists those that it has set in `OCI-Tag`.
 * @throws OciError DIGEST_MISMATCH if the registry stored other bytes; TOO_LARGE, MANIFEST_INVALID and other errors of
 * the registry.
 */
export async function putManifest(
  client: RemoteClient,
  repo: RepositoryName,
  reference: Tag | Digest,
  manifest: RawManifest,
  opts: SignalOption & { readonly tags?: readonly Tag[] } = {},
): Promise<HttpResponse> {
  const { retry } = client.transport;
  for (let failures = 1; ; failures += 1) {
    try {
      return await putOnce(client, repo, reference, manifest, opts);
    } catch (error) {
      if (!isDisturbed(error, reference) || failures >= Math.min(retry.attempts, attempts)) throw error;
      await retry.pause(failures, { signal: opts.signal });
    }
  }
}

async function putOnce(
  client: RemoteClient,
  repo: RepositoryName,
  reference: Tag | Digest,
  manifest: RawManifest,
  opts: SignalOption & { readonly tags?: readonly Tag[] },
): Promise<HttpResponse> {
  const url = client.url({ name: 'manifest', repo, reference });
  for (const tag of opts.tags ?? []) url.searchParams.append('tag', tag);
  const response = await client.send({
    method: 'PUT',
    url,
    scopes: [repositoryScope(repo, 'pull', 'push')],
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    idempotent: true,
    persistent: true,
    moreTimeMs: Math.min(manifest.bytes.length / checkedBytesPerMs, maxCheckMs),
    signal: opts.signal,
  });
  if (![200, 201, 202, 204].includes(response.status)) {
    const error = await client.error(response, {
      what: `push of ${shownReference(client.name, repo, reference)}`,
      repository: shownName(client.name, repo),
      action: 'push',
      notFound: 'NAME_UNKNOWN',
    });
    throw tooLarge(error, manifest) ?? error;
  }
  await response.body.discard();
  const stored = tryParseDigest(header(response.headers, headers.contentDigest));
  const sent = stored && (await digestBytes(digestedPart(manifest), digestAlgorithm(stored)));
  if (stored && sent && stored !== sent) throw digestMismatch(sent, stored);
  return response;
}

/**
 * Whether the registry calls a digest invalid that is correct in the request. Distribution on a disk does so while another
 * client writes the link of a blob or manifest again: it then finds the file empty.
 *
 * @see https://github.com/distribution/distribution/blob/v2.8.1/registry/storage/driver/filesystem/driver.go (PutContent)
 */
function isDisturbed(error: unknown, reference: Tag | Digest): boolean {
  // The registry may not know another algorithm.
  const isKnown = !isDigestReference(reference) || digestAlgorithm(reference) === 'sha256';
  return isKnown && isOciError(error, 'DIGEST_INVALID') && error.status === 400;
}

// docker-registry reads 4 MiB of a manifest, and reports the rest as malformed. Ours was parsed before it was sent.
function tooLarge(error: OciError, { bytes }: RawManifest): OciError | undefined {
  if (!isOciError(error, 'MANIFEST_INVALID') || bytes.length <= usualMaxBytes) return undefined;
  const { status, endpoint } = error;
  return new OciError('TOO_LARGE', `${error.message}: it may not accept a manifest of ${bytes.length} bytes`, {
    status,
    endpoint,
  });
}
