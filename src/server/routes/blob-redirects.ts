import type { Digest } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { blobLocator, type LocatedBlob } from '../../registry/extensions.ts';
import { headers as names } from '../../wire/headers.ts';
import { answer } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

/** How long the URL of a blob can be used, as in distribution: the client may wait before it begins. */
const validMs = 20 * 60_000;

/** Looks up a blob that the client may be sent elsewhere for; undefined if this server never does that. */
export async function locate(
  exchange: Exchange,
  repo: RepositoryName,
  digest: Digest,
): Promise<LocatedBlob | undefined> {
  if (exchange.state.redirects === undefined) return undefined;
  return await exchange.registry.extension(blobLocator)?.locate(repo, digest, { signal: exchange.signal });
}

/**
 * Sends the client to the store, if it is to download this blob there. It asks there for the same range.
 *
 * @returns Whether the request is answered.
 */
export async function sendElsewhere(exchange: Exchange, digest: Digest, blob: LocatedBlob): Promise<boolean> {
  const { remoteAddress } = exchange.context;
  if (exchange.state.redirects?.({ size: blob.size, remoteAddress }) !== true) return false;
  const location = await blob.url({ validMs });
  if (location === undefined) return false;
  // The URL is a secret that ends: no cache may give it to others, or later.
  await answer(exchange, 307, { location, 'cache-control': 'no-store', [names.contentDigest]: digest });
  return true;
}
