/**
 * The paths of the API, defined once: the client formats them, the server parses them.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#endpoints
 */
import { checkArgument, checkFields } from '../model/check-arguments.ts';
import { type Digest, parseDigest } from '../model/digest.ts';
import { parseRepositoryName, parseTag, type RepositoryName, type Tag } from '../model/reference/reference.ts';

/**
 * A parsed path of the API; `repo` is the repository in it. The `id` of an upload is untrusted text: check it before using it in a file path.
 */
export type Route =
  | { readonly name: 'base' }
  | { readonly name: 'catalog' }
  | { readonly name: 'manifest'; readonly repo: RepositoryName; readonly reference: Tag | Digest }
  | { readonly name: 'tags'; readonly repo: RepositoryName }
  | { readonly name: 'blob'; readonly repo: RepositoryName; readonly digest: Digest }
  | { readonly name: 'uploads'; readonly repo: RepositoryName }
  | { readonly name: 'upload'; readonly repo: RepositoryName; readonly id: string }
  | { readonly name: 'referrers'; readonly repo: RepositoryName; readonly digest: Digest };

/** The path of a route, starting with `/v2/`. Every part is a branded type or is encoded here. */
export function routePath(route: Route): string {
  checkFields('routePath', 'the route', route, { name: 'string' });
  switch (route.name) {
    case 'base':
      return '/v2/';
    case 'catalog':
      return '/v2/_catalog';
    case 'manifest':
      return `/v2/${route.repo}/manifests/${route.reference}`;
    case 'tags':
      return `/v2/${route.repo}/tags/list`;
    case 'blob':
      return `/v2/${route.repo}/blobs/${route.digest}`;
    case 'uploads':
      return `/v2/${route.repo}/blobs/uploads/`;
    case 'upload':
      return `/v2/${route.repo}/blobs/uploads/${encodeURIComponent(route.id)}`;
    case 'referrers':
      return `/v2/${route.repo}/referrers/${route.digest}`;
  }
}

/**
 * Parses a request path (without query, still percent-encoded).
 *
 * @returns Undefined if no route matches.
 * @throws OciError NAME_INVALID, TAG_INVALID, DIGEST_INVALID if a route matches but one of its parts is malformed.
 */
export function parseRoute(path: string): Route | undefined {
  checkArgument('parseRoute', 'the path', path, 'string');
  if (path === '/v2' || path === '/v2/') return { name: 'base' };
  if (path === '/v2/_catalog') return { name: 'catalog' };
  const match = /^\/v2\/(.+)\/(?:(manifests|blobs|referrers)\/([^/]+)|(tags)\/list|(blobs)\/(uploads)\/([^/]*))$/.exec(
    path,
  );
  if (!match) return undefined;
  const [, name = '', kind, last = '', tags, , uploads, id = ''] = match;
  if (kind === 'blobs' && last === 'uploads') return { name: 'uploads', repo: parseName(name) };
  if (tags) return { name: 'tags', repo: parseName(name) };
  if (uploads) {
    const repo = parseName(name);
    return id === '' ? { name: 'uploads', repo } : { name: 'upload', repo, id: decode(id) };
  }
  const repo = parseName(name);
  if (kind === 'manifests') {
    const reference = decode(last);
    return {
      name: 'manifest',
      repo,
      reference: reference.includes(':') ? parseDigest(reference) : parseTag(reference),
    };
  }
  const digest = parseDigest(decode(last));
  return kind === 'blobs' ? { name: 'blob', repo, digest } : { name: 'referrers', repo, digest };
}

function parseName(text: string): RepositoryName {
  return parseRepositoryName(decode(text));
}

// A part that cannot be decoded is kept as it is; its parser then refuses it.
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
