import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Signer } from '../signer.ts';

/** What is signed, and by whom. */
export interface SignRequest {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** The manifest that is signed. */
  readonly subject: Descriptor;
  readonly signer: Signer;
  /** The name that is signed. */
  readonly identity: string;
  readonly signal?: AbortSignal | undefined;
}

/** Where signatures go: under a tag, as cosign 2 and podman have it; into a bundle, as cosign 3 has it; or both. */
export type SignatureFormat = 'tag' | 'bundle' | 'both';

/** A signature or attestation in a registry. */
export interface WrittenSignature {
  /** Under a tag, or in a bundle. */
  readonly form: 'tag' | 'bundle';
  /** The tag, or the digest of the referrer. */
  readonly at: Tag | Digest;
  /** False: an equal one was there already. */
  readonly added: boolean;
  /** How many others it took the place of, if that was asked for. */
  readonly replaced?: number;
}

/** How often a signature is written again that another writer has overwritten. */
export const maxRounds = 10;

/**
 * Writes what is asked for.
 *
 * @param onNoBundle Called if a bundle is refused while there is a tag; may throw.
 */
export async function writeForms(
  format: SignatureFormat,
  write: { readonly tag: () => Promise<WrittenSignature>; readonly bundle: () => Promise<WrittenSignature> },
  onNoBundle: (error: unknown) => void,
): Promise<readonly WrittenSignature[]> {
  const written: WrittenSignature[] = [];
  if (format !== 'bundle') written.push(await write.tag());
  if (format === 'tag') return written;
  try {
    written.push(await write.bundle());
  } catch (error) {
    if (written.length === 0) throw error;
    onNoBundle(error);
  }
  return written;
}
