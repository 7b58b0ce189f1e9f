import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { platformObject } from '../../model/platform/platform.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { formatNextLink, headers as names } from '../../wire/headers.ts';
import { routePath } from '../../wire/routes.ts';
import { answerJson } from '../http/answers.ts';
import type { Exchange } from '../http/exchange.ts';

/** Maximum size of a page. Clients read an index of up to 4 MiB. */
const maxPageBytes = 2 * 1024 * 1024;

/**
 * `GET /v2/<name>/referrers/<digest>`: an empty index if nothing refers to the digest.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function getReferrers(
  exchange: Exchange,
  { repo, digest }: { readonly repo: RepositoryName; readonly digest: Digest },
): Promise<void> {
  const artifactType = exchange.query.get('artifactType') || undefined;
  const manifests: unknown[] = [];
  let last: Digest | undefined;
  let next: Digest | undefined;
  let bytes = 0;
  for await (const referrer of referrersOf(exchange, repo, digest, artifactType)) {
    const entry = encodeDescriptor(referrer);
    bytes += JSON.stringify(entry).length;
    if (bytes > maxPageBytes && last) {
      next = last;
      break;
    }
    manifests.push(entry);
    last = referrer.digest;
  }
  const query = new URLSearchParams({ ...(artifactType && { artifactType }), ...(next && { last: next }) });
  await answerJson(
    exchange,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'content-type': mediaTypes.ociIndex,
      ...(artifactType && { [names.filtersApplied]: 'artifactType' }),
      ...(next && { link: formatNextLink(`${routePath({ name: 'referrers', repo, digest })}?${query}`) }),
    },
  );
}

// Starts after the `last` of the request.
async function* referrersOf(
  exchange: Exchange,
  repo: RepositoryName,
  digest: Digest,
  artifactType: string | undefined,
): AsyncGenerator<Descriptor> {
  const after = exchange.query.get('last') ?? undefined;
  try {
    yield* exchange.registry.referrers(repo, digest, { artifactType, after, signal: exchange.signal });
  } catch (error) {
    if (!isOciError(error, 'NAME_UNKNOWN', 'MANIFEST_UNKNOWN')) throw error;
  }
}

function encodeDescriptor({ platform, ...descriptor }: Descriptor): unknown {
  return platform === undefined ? descriptor : { ...descriptor, platform: platformObject(platform) };
}
