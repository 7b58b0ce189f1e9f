/** Artifacts of files, as oras makes them. */
import { gzipSync } from 'node:zlib';
import { annotationKeys } from '../../../src/artifacts/annotations.ts';
import { digestBytes } from '../../../src/model/digest.ts';
import { type RawEntry, tarOf } from '../../support/archives/tar.ts';
import { type Built, buildArtifact } from '../../support/images.ts';
import { type BuiltBlob, buildBlob } from '../../support/layer.ts';

/** A layer that is a file; without a title if that is undefined. */
export async function titled(title: string | undefined, content: string | Uint8Array): Promise<BuiltBlob> {
  const blob = await buildBlob(content, 'application/vnd.oci.image.layer.v1.tar');
  return title === undefined ? blob : annotated(blob, { [annotationKeys.title]: title });
}

/** A layer that is a directory. @param digest Default: the right one. */
export async function directoryOf(title: string, entries: readonly RawEntry[], digest?: string): Promise<BuiltBlob> {
  const tar = tarOf(entries);
  const blob = await buildBlob(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip');
  return annotated(blob, {
    [annotationKeys.title]: title,
    [annotationKeys.unpack]: 'true',
    [annotationKeys.unpackedDigest]: digest ?? (await digestBytes(tar)),
  });
}

export function artifactOf(...blobs: readonly BuiltBlob[]): Promise<Built> {
  return buildArtifact({ artifactType: 'application/vnd.example.files', blobs });
}

function annotated(blob: BuiltBlob, annotations: Readonly<Record<string, string>>): BuiltBlob {
  return { ...blob, descriptor: { ...blob.descriptor, annotations } };
}
