/**
 * The JSON files of an archive that all programs load: an OCI layout whose blobs Docker's manifest.json names too.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 * @see https://github.com/moby/moby/blob/v28.0.0/image/tarexport/save.go
 */

import { fullName } from '../../layout/format/names.ts';
import { blobPath, indexPath, versionPath } from '../../layout/format/paths.ts';
import { versionDocument } from '../../layout/format/version.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { familiarReference, parseReference, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import { bundleBasePath, formatBundleBase } from '../bundle-base.ts';
import type { ExpectedImages, RootEntry } from './expected-images.ts';

/** A small file of an archive. */
export interface Document {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The path of Docker's list of images in an archive. */
const dockerManifestPath = 'manifest.json';

/** @returns In the order in which they are written. */
export function hybridDocuments({ roots, runnable, omitted }: ExpectedImages): readonly Document[] {
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: roots.map(indexEntry) };
  const images = runnable.map(({ view, names }) => ({
    Config: blobPath(view.config.digest),
    RepoTags: repoTags(names),
    Layers: view.layers.map(({ digest }) => blobPath(digest)),
  }));
  return [
    { name: versionPath, bytes: Buffer.from(versionDocument) },
    { name: indexPath, bytes: json(index) },
    // Readers of layouts pass over it; an archive of artifacts alone has none.
    ...(images.length > 0 ? [{ name: dockerManifestPath, bytes: json(images) }] : []),
    ...(omitted ? [{ name: bundleBasePath, bytes: formatBundleBase(omitted) }] : []),
  ];
}

/** The names as Docker writes them; null, as there, if there are none. */
export function repoTags(names: readonly Tag[]): readonly string[] | null {
  const full = names.flatMap((name) => fullReference(name) ?? []);
  return full.length === 0 ? null : full.map((name) => familiarReference(parseReference(name)));
}

export function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

// containerd reads the full name from the first annotation, skopeo and others the tag from the second.
function indexEntry({ descriptor: { mediaType, digest, size }, artifactType, name }: RootEntry): object {
  const full = name === undefined ? undefined : fullReference(name);
  const tag = full === undefined ? name : (parseReference(full).tag ?? name);
  const annotations = {
    ...(full !== undefined && { 'io.containerd.image.name': full }),
    ...(tag !== undefined && { 'org.opencontainers.image.ref.name': tag }),
  };
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

// A tag alone could be read as the name of an image on Docker Hub.
function fullReference(name: Tag): string | undefined {
  return tryParseTag(name) === undefined ? fullName(name) : undefined;
}
