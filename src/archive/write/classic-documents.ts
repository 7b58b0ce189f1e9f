/**
 * The JSON files of an archive as Docker wrote it before version 25, and skopeo and podman do today.
 *
 * @see https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */

import { type Digest, digestHex } from '../../model/digest.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { familiarName, parseReference } from '../../model/reference/reference.ts';
import { type Document, json, repoTags } from './hybrid-documents.ts';

/** An image for such an archive. */
export interface ClassicImage {
  readonly names: readonly Tag[];
  readonly config: { readonly digest: Digest; readonly bytes: Uint8Array };
  /** Digests of the uncompressed layers, the lowest first. */
  readonly diffIds: readonly Digest[];
}

export function layerPath(diffId: Digest): string {
  return `${digestHex(diffId)}.tar`;
}

/** @returns In the order in which they are written, each once. */
export function classicDocuments(images: readonly ClassicImage[]): readonly Document[] {
  const configs = new Map(images.map(({ config }) => [configPath(config.digest), config.bytes]));
  const list = images.map(({ names, config, diffIds }) => ({
    Config: configPath(config.digest),
    RepoTags: repoTags(names),
    Layers: diffIds.map(layerPath),
  }));
  return [
    ...[...configs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, bytes]) => ({ name, bytes })),
    { name: 'manifest.json', bytes: json(list) },
    { name: 'repositories', bytes: json(repositories(images)) },
  ];
}

function configPath(digest: Digest): string {
  return `${digestHex(digest)}.json`;
}

/** By name and tag, an identifier of the top layer. What reads manifest.json does not read this. */
function repositories(images: readonly ClassicImage[]): Record<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  for (const { names, diffIds } of images) {
    const top = diffIds.at(-1);
    for (const name of repoTags(names) ?? []) {
      const reference = parseReference(name);
      const key = familiarName(reference);
      if (top === undefined || reference.tag === undefined) continue;
      found.set(key, { ...found.get(key), [reference.tag]: digestHex(top) });
    }
  }
  return Object.fromEntries(found);
}
