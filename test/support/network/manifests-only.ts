import type { Answer } from '../fake-server.ts';
import type { Built } from '../images.ts';

/**
 * Answers as a registry without a referrers API that has manifests and tags; everything else is unknown to it.
 *
 * @param tags By name.
 */
export function manifestsOnly(manifests: readonly Built[], tags: Readonly<Record<string, Built>>): Answer {
  const byDigest = new Map(
    [...manifests, ...Object.values(tags)].map((built) => [`${built.descriptor.digest}`, built]),
  );
  return ({ path }, response) => {
    const reference = /\/manifests\/([^/]+)$/.exec(path)?.[1] ?? '';
    const found = tags[reference] ?? byDigest.get(reference);
    if (!found) return response.writeHead(404).end();
    const { mediaType, bytes } = found.manifest;
    return response
      .writeHead(200, {
        'content-type': mediaType,
        'content-length': bytes.length,
        'docker-content-digest': found.descriptor.digest,
      })
      .end(bytes);
  };
}
