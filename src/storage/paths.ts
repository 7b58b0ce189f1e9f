/**
 * The layout below the root. `docker/registry/v2` is distribution's format: each reads what the other wrote. The lines
 * marked * are additions that distribution ignores.
 *
 *     docker/registry/v2/
 *       blobs/<alg>/<2 hex>/<hex>/data
 *       repositories/<name>/
 *         _layers/<alg>/<hex>/link
 *         _manifests/revisions/<alg>/<hex>/link
 *         _manifests/revisions/<alg>/<hex>/mediatype            * only if the bytes do not tell it
 *         _manifests/revisions/<alg>/<hex>/pinned               * pulled by digest: kept without a tag
 *         _manifests/tags/<tag>/current/link
 *         _manifests/tags/<tag>/index/<alg>/<hex>/link
 *         _referrers/<subject alg>/<subject hex>/<alg>/<hex>/link  *
 *         _uploads/<uuid>/startedat
 *         _uploads/<uuid>/data
 *         _uploads/<uuid>/data.<holder>                         * filesystem driver: while a process writes it
 *         _uploads/<uuid>/data.digest                           * filesystem driver: its digest at the end of a request
 *         _uploads/<uuid>/data.parts/<number>                   * S3 driver: the upload at the end of a request
 *     partial/<alg>/<hex>                                       * an interrupted download
 *     partial/<alg>/<hex>.<holder>                              * filesystem driver: while a process writes it
 *     partial/<alg>/<hex>.lock                                  *
 *     leases/<holder>                                           * a journal of digests that a process relies on
 *     leases/<holder>/{beat,end,all,marks.<n>,<alg>/<hex>}      * the same for drivers without journals
 *     collectors/<holder>                                       * digests that a process is about to remove
 *     collected                                                 * when a server last began to collect
 *     clock/<holder>                                            * briefly, to read the store's clock
 *     tmp/<holder>.<number>                                     * filesystem driver: temporary files
 *
 * A link contains a digest without a newline. A holder names a process; see files/process-id.ts.
 *
 * @see https://github.com/distribution/distribution/blob/v3.0.0/registry/storage/paths.go
 */

import type { ProcessId } from '../files/process-id.ts';
import { type Digest, digestAlgorithm, digestHex } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { Entry, StorePath } from './driver.ts';

declare const uploadBrand: unique symbol;

/** The id of an upload session: a UUID that {@link parseUploadId} has checked. */
export type UploadId = string & { readonly [uploadBrand]: true };

/** Where distribution's layout begins. */
export const v2Path = 'docker/registry/v2' as StorePath;

export const blobsPath = join(v2Path, 'blobs');
export const repositoriesPath = join(v2Path, 'repositories');
export const partialsPath = 'partial' as StorePath;
export const leasesPath = 'leases' as StorePath;
/** Stored anew when a collection of a server begins. */
export const collectedPath = 'collected' as StorePath;
export const collectorsPath = 'collectors' as StorePath;

export function blobPath(digest: Digest): StorePath {
  const hex = digestHex(digest);
  return join(blobsPath, digestAlgorithm(digest), hex.slice(0, 2), hex, 'data');
}

export function layersPath(repo: RepositoryName): StorePath {
  return join(repositoriesPath, repo, '_layers');
}

export function layerLinkPath(repo: RepositoryName, digest: Digest): StorePath {
  return join(layersPath(repo), slashed(digest), 'link');
}

export function manifestsPath(repo: RepositoryName): StorePath {
  return join(repositoriesPath, repo, '_manifests');
}

export function revisionsPath(repo: RepositoryName): StorePath {
  return join(manifestsPath(repo), 'revisions');
}

function revisionPath(repo: RepositoryName, digest: Digest): StorePath {
  return join(revisionsPath(repo), slashed(digest));
}

export function revisionLinkPath(repo: RepositoryName, digest: Digest): StorePath {
  return join(revisionPath(repo, digest), 'link');
}

export function mediaTypePath(repo: RepositoryName, digest: Digest): StorePath {
  return join(revisionPath(repo, digest), 'mediatype');
}

export function pinPath(repo: RepositoryName, digest: Digest): StorePath {
  return join(revisionPath(repo, digest), 'pinned');
}

export function tagsPath(repo: RepositoryName): StorePath {
  return join(manifestsPath(repo), 'tags');
}

export function tagPath(repo: RepositoryName, tag: Tag): StorePath {
  return join(tagsPath(repo), tag);
}

export function tagCurrentPath(repo: RepositoryName, tag: Tag): StorePath {
  return join(tagPath(repo, tag), 'current/link');
}

export function tagIndexPath(repo: RepositoryName, tag: Tag): StorePath {
  return join(tagPath(repo, tag), 'index');
}

export function tagIndexLinkPath(repo: RepositoryName, tag: Tag, digest: Digest): StorePath {
  return join(tagIndexPath(repo, tag), slashed(digest), 'link');
}

export function referrersRootPath(repo: RepositoryName): StorePath {
  return join(repositoriesPath, repo, '_referrers');
}

export function referrersPath(repo: RepositoryName, subject: Digest): StorePath {
  return join(referrersRootPath(repo), slashed(subject));
}

export function referrerLinkPath(repo: RepositoryName, subject: Digest, digest: Digest): StorePath {
  return join(referrersPath(repo, subject), slashed(digest), 'link');
}

export function uploadsPath(repo: RepositoryName): StorePath {
  return join(repositoriesPath, repo, '_uploads');
}

export function uploadPath(repo: RepositoryName, id: UploadId): StorePath {
  return join(uploadsPath(repo), id);
}

export function uploadDataPath(repo: RepositoryName, id: UploadId): StorePath {
  return join(uploadPath(repo, id), 'data');
}

export function uploadStartedAtPath(repo: RepositoryName, id: UploadId): StorePath {
  return join(uploadPath(repo, id), 'startedat');
}

export function partialPath(digest: Digest): StorePath {
  return join(partialsPath, slashed(digest));
}

export function partialLockPath(digest: Digest): StorePath {
  return `${partialPath(digest)}.lock` as StorePath;
}

export function leasePath(holder: ProcessId): StorePath {
  return join(leasesPath, holder);
}

export function collectorPath(holder: ProcessId): StorePath {
  return join(collectorsPath, holder);
}

export function clockPath(holder: ProcessId): StorePath {
  return join('clock' as StorePath, holder);
}

/** Where collectors of earlier versions moved a blob while they made sure that it is not needed. */
export function asidePath(path: StorePath): StorePath {
  return `${path}.collected` as StorePath;
}

/** The path of a list entry. */
export function childPath(directory: StorePath, entry: Pick<Entry, 'name'>): StorePath {
  return join(directory, entry.name);
}

/**
 * Parses the id of an upload. It becomes part of a path, so anything but a UUID is refused (path traversal).
 *
 * @throws OciError BLOB_UPLOAD_UNKNOWN
 */
export function parseUploadId(text: string): UploadId {
  if (!isUploadId(text)) throw uploadUnknown();
  return text;
}

export function isUploadId(text: string): text is UploadId {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

export function uploadUnknown(): OciError {
  return new OciError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload in this repository', {
    hint: 'it was finished, cancelled or removed; start it again',
  });
}

function slashed(digest: Digest): string {
  return `${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function join(base: StorePath, ...parts: readonly string[]): StorePath {
  return [base, ...parts].join('/') as StorePath;
}
