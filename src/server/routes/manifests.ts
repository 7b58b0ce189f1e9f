import type { OutgoingHttpHeaders } from 'node:http';
import { type Digest, parseDigest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Manifest, type ManifestView, receiveManifest } from '../../model/manifest/manifest.ts';
import { bareMediaType, isMediaType } from '../../model/manifest/media-types.ts';
import { quote } from '../../model/quote.ts';
import { isDigestReference, parseTag, type RepositoryName, type Tag } from '../../model/reference/reference.ts';
import { headers as names } from '../../wire/headers.ts';
import { routePath } from '../../wire/routes.ts';
import { answer } from '../http/answers.ts';
import { etagOf, foreverCached, isKnown, knownDigests } from '../http/conditional.ts';
import type { Exchange } from '../http/exchange.ts';

interface Named {
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
}

/** Maximum time for the body of a manifest. */
const maxBodyMs = 60_000;

/** `GET /v2/<name>/manifests/<reference>`: the bytes as they were pushed. */
export async function getManifest(exchange: Exchange, named: Named): Promise<void> {
  const manifest = await readManifest(exchange, named);
  if (manifest === undefined) return;
  const { descriptor, bytes } = manifest;
  if (isKnown(exchange, descriptor.digest)) await answerNotModified(exchange, descriptor.digest);
  else await answer(exchange, 200, fieldsOf(named, descriptor), bytes);
}

/** `HEAD`: the headers of a GET. */
export async function headManifest(exchange: Exchange, named: Named): Promise<void> {
  const descriptor = await exchange.registry.statManifest(named.repo, named.reference, {
    signal: exchange.signal,
  });
  if (isKnown(exchange, descriptor.digest)) await answerNotModified(exchange, descriptor.digest);
  else await answer(exchange, 200, { ...fieldsOf(named, descriptor), 'content-length': descriptor.size });
}

/**
 * `PUT`: 201 with the manifest's location. With a digest, `?tag=` may name tags to set.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
 */
export async function putManifest(exchange: Exchange, { repo, reference }: Named): Promise<void> {
  const queried = exchange.query.getAll('tag').map((text) => parseTag(text));
  const wanted = isDigestReference(reference) ? reference : readDigest(exchange.query.get('digest'));
  const tags = isDigestReference(reference) ? queried : [reference, ...queried];
  const type = exchange.header('content-type');
  const bytes = await readWhole(exchange);
  const { mediaType, view, isObject } = receiveManifest(type?.trim() ? readMediaType(type) : undefined, bytes);
  if (isOfUnknownType(view)) refuseNoManifest(mediaType, isObject);
  const { subject } = view;
  const { registry } = exchange;
  const { digest } = await registry.pushManifest(
    repo,
    { mediaType, bytes },
    { tags, digest: wanted, signal: exchange.signal },
  );
  await answer(exchange, 201, {
    location: routePath({ name: 'manifest', repo, reference: digest }),
    [names.contentDigest]: digest,
    ...(subject && { [names.subject]: subject.digest }),
    ...(queried.length > 0 && { [names.tag]: queried }),
  });
}

function isOfUnknownType(view: ManifestView): boolean {
  return view.kind === 'other' && view.references === undefined;
}

// A manifest of an unknown type must still be a JSON object; otherwise the registry would store files of any kind.
function refuseNoManifest(mediaType: string, isObject: boolean): void {
  if (mediaType.startsWith('application/') && isObject) return;
  const reason = isObject ? `is ${quote(mediaType)}, which is not a type of manifests` : 'is not a JSON object';
  throw new OciError('MANIFEST_INVALID', `malformed manifest: it ${reason}`);
}

/** `DELETE`: by tag removes the tag only, by digest the manifest and every tag that points at it. */
export async function deleteManifest(exchange: Exchange, { repo, reference }: Named): Promise<void> {
  const { signal, registry } = exchange;
  if (isDigestReference(reference)) await registry.deleteManifest(repo, reference, { signal });
  else await registry.deleteTag(repo, reference, { signal });
  await answer(exchange, 202);
}

async function readManifest(exchange: Exchange, { repo, reference }: Named): Promise<Manifest | undefined> {
  const [only, ...others] = knownDigests(exchange);
  const ifNoneMatch = others.length === 0 ? only : undefined;
  try {
    const { signal } = exchange;
    return await exchange.registry.getManifest(repo, reference, {
      accept: accepted(exchange),
      ifNoneMatch,
      signal,
    });
  } catch (error) {
    if (!isOciError(error, 'NOT_MODIFIED') || ifNoneMatch === undefined) throw error;
    await answerNotModified(exchange, ifNoneMatch);
    return undefined;
  }
}

// Undefined: any type.
function accepted(exchange: Exchange): readonly string[] | undefined {
  const types = (exchange.header('accept') ?? '').split(',').map(bareMediaType).filter(Boolean);
  return types.length === 0 || types.some((type) => type.includes('*')) ? undefined : types;
}

function fieldsOf({ reference }: Named, { mediaType, digest }: Descriptor): OutgoingHttpHeaders {
  return {
    'content-type': mediaType,
    [names.contentDigest]: digest,
    etag: etagOf(digest),
    'cache-control': isDigestReference(reference) ? foreverCached : 'no-cache',
  };
}

function answerNotModified(exchange: Exchange, digest: Digest): Promise<void> {
  return answer(exchange, 304, { etag: etagOf(digest), [names.contentDigest]: digest });
}

async function readWhole(exchange: Exchange): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const timer = setTimeout(() => exchange.request.socket.destroy(), maxBodyMs);
  try {
    await exchange.readBody(async (chunk) => void chunks.push(chunk), exchange.state.maxManifestBytes);
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

function readDigest(text: string | null): Digest | undefined {
  return text === null ? undefined : parseDigest(text);
}

function readMediaType(contentType: string): string {
  const type = bareMediaType(contentType);
  if (isMediaType(type)) return type;
  throw new OciError('MANIFEST_INVALID', 'the Content-Type is not a media type');
}
