import { OciError } from '../../model/errors.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { bytesContent, type Content, readContent } from '../../registry/content.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import type { Sbom, SearchedImage } from './find-sboms.ts';
import { readPredicate } from './predicate.ts';
import { formatOfPredicate } from './sbom-types.ts';

/** An attestation is parsed as a whole. */
const maxAttestationBytes = 128 * 1024 * 1024;

/** A document, to be read once. */
export interface OpenSbom extends Pick<Sbom, 'format'> {
  readonly content: Content;
}

/**
 * Opens a list of parts: the document as it is kept, or the predicate of the statement that it is. No signature is verified.
 *
 * @returns Undefined if the statement is about something else than parts.
 * @throws OciError MANIFEST_INVALID for a malformed attestation; REFUSED for one about another image; TOO_LARGE; BLOB_UNKNOWN;
 * while reading DIGEST_MISMATCH, SIZE_MISMATCH.
 */
export async function openSbom(
  { registry, repo }: { readonly registry: Registry; readonly repo: RepositoryName },
  { blob, envelope, format, tag, manifest }: Sbom,
  { subjects }: SearchedImage,
  opts: SignalOption = {},
): Promise<OpenSbom | undefined> {
  const name = tag ?? manifest;
  if (envelope !== 'none' && blob.size > maxAttestationBytes) {
    throw new OciError(
      'TOO_LARGE',
      `the attestation ${name} has ${blob.size} bytes, more than ${maxAttestationBytes}`,
      {
        hint: 'ocictl blob get prints it as it is',
      },
    );
  }
  const content = await registry.getBlob(repo, blob, opts);
  if (envelope === 'none') return { format, content };
  const bytes = await readContent(content, maxAttestationBytes);
  const predicate = readPredicate({ bytes, envelope, name }, subjects);
  const stated = formatOfPredicate(predicate.predicateType);
  return stated && { format: stated, content: bytesContent(blob, predicate.bytes) };
}
