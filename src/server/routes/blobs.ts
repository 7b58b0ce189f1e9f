import type { OutgoingHttpHeaders } from 'node:http';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Content } from '../../registry/content.ts';
import type { LocatedBlob } from '../../registry/extensions.ts';
import type { ByteRange } from '../../registry/registry.ts';
import { formatContentRange, headers as names, parseRangeRequest } from '../../wire/headers.ts';
import { answer, answerContent, answerError } from '../http/answers.ts';
import { etagOf, foreverCached, isKnown } from '../http/conditional.ts';
import type { Exchange } from '../http/exchange.ts';
import { locate, sendElsewhere } from './blob-redirects.ts';

interface Named {
  readonly repo: RepositoryName;
  readonly digest: Digest;
}

/**
 * `GET /v2/<name>/blobs/<digest>`: the blob, a range of it, or where the client gets it.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
 */
export async function getBlob(exchange: Exchange, named: Named): Promise<void> {
  const { repo, digest } = named;
  const known = isKnown(exchange, digest);
  const located = known ? undefined : await locate(exchange, repo, digest);
  if (located !== undefined && (await sendElsewhere(exchange, digest, located))) return;
  if (wantsRange(exchange, digest)) return getBlobRange(exchange, named, located);
  const content = await open(exchange, named, located);
  const { size } = content.descriptor;
  if (!known) return answerContent(exchange, 200, fieldsOf(digest), content, size);
  await content.cancel();
  await answer(exchange, 304, fieldsOf(digest));
}

/** `HEAD`: whether the blob exists, and its size. */
export async function headBlob(exchange: Exchange, { repo, digest }: Named): Promise<void> {
  const { size } = await exchange.registry.statBlob(repo, digest, { signal: exchange.signal });
  if (isKnown(exchange, digest)) await answer(exchange, 304, fieldsOf(digest));
  else await answer(exchange, 200, { ...fieldsOf(digest), 'content-length': size });
}

/** `DELETE`: removes the blob from the repository. */
export async function deleteBlob(exchange: Exchange, { repo, digest }: Named): Promise<void> {
  await exchange.registry.deleteBlob(repo, digest, { signal: exchange.signal });
  await answer(exchange, 202);
}

async function getBlobRange(exchange: Exchange, named: Named, located: LocatedBlob | undefined): Promise<void> {
  const { repo, digest } = named;
  const { size } = located ?? (await exchange.registry.statBlob(repo, digest, { signal: exchange.signal }));
  const range = parseRangeRequest(exchange.header('range'), size);
  if (range === 'unsatisfiable') {
    const error = new OciError('RANGE_INVALID', `the blob has ${size} bytes`);
    return answerError(exchange, error, { 'content-range': `bytes */${size}` });
  }
  if (range === 'whole') {
    return answerContent(exchange, 200, fieldsOf(digest), await open(exchange, named, located), size);
  }
  const content = await open(exchange, named, located, { start: range.start, end: range.end + 1 });
  const fields = { ...fieldsOf(digest), 'content-range': formatContentRange(range, size) };
  await answerContent(exchange, 206, fields, content, range.end - range.start + 1);
}

// The client verifies the content. Hashing it here as well would halve the speed.
function open(
  exchange: Exchange,
  { repo, digest }: Named,
  located: LocatedBlob | undefined,
  range?: ByteRange,
): Promise<Content> {
  const how = { range, verify: false, signal: exchange.signal };
  return located === undefined ? exchange.registry.getBlob(repo, digest, how) : located.open(how);
}

function wantsRange(exchange: Exchange, digest: Digest): boolean {
  const condition = exchange.header('if-range');
  const applies = condition === undefined || condition === etagOf(digest);
  return exchange.header('range') !== undefined && applies && !isKnown(exchange, digest);
}

function fieldsOf(digest: Digest): OutgoingHttpHeaders {
  return {
    'content-type': mediaTypes.octetStream,
    'accept-ranges': 'bytes',
    [names.contentDigest]: digest,
    etag: etagOf(digest),
    'cache-control': foreverCached,
  };
}
