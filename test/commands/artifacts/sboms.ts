/** Lists of parts as BuildKit and cosign keep them, made by hand. */
import { type Built, buildArtifact } from '../../support/images.ts';
import { buildBlob } from '../../support/layer.ts';

export function spdx(name: string): string {
  return JSON.stringify({ spdxVersion: 'SPDX-2.3', name }, undefined, 1);
}

/** @param predicate JSON. */
export function statementOf(
  { descriptor }: Built,
  predicate: string,
  predicateType = 'https://spdx.dev/Document',
): string {
  const subject = [{ name: 'image', digest: { sha256: descriptor.digest.slice('sha256:'.length) } }];
  const head = JSON.stringify({ _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject });
  return `${head.slice(0, -1)},"predicate":${predicate}}`;
}

export function dsse(statement: string): string {
  const payload = Buffer.from(statement).toString('base64');
  return JSON.stringify({ payloadType: 'application/vnd.in-toto+json', payload, signatures: [] });
}

/**
 * What BuildKit adds to an index for an image.
 *
 * @see https://github.com/moby/buildkit/blob/v0.16.0/docs/attestations/attestation-storage.md
 */
export async function attestationOf(
  image: Built,
  predicate: string,
  statement = statementOf(image, predicate),
  predicateType = 'https://spdx.dev/Document',
): Promise<Built> {
  const blob = await buildBlob(statement, 'application/vnd.in-toto+json');
  const annotations = { 'in-toto.io/predicate-type': predicateType };
  const layer = { ...blob, descriptor: { ...blob.descriptor, annotations } };
  const built = await buildArtifact({
    artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
    blobs: [layer],
  });
  return {
    ...built,
    descriptor: {
      ...built.descriptor,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.digest': image.descriptor.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
    },
  };
}
