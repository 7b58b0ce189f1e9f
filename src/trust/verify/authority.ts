/** Who may sign. */
import { InvalidSignature } from '../formats/invalid.ts';
import type { SignedBytes } from '../formats/signed-bytes.ts';

/** Somebody whose signatures count. */
export interface Authority {
  /** In messages and results: the file of a key, for instance. */
  readonly name: string;
  /** @throws NotSigner for a signature of somebody else; InvalidSignature for what is wrong with this one */
  check(signed: SignedBytes): Promise<Signatory>;
}

/** Whose signature it is, and by which authority it counts. */
export interface Signatory {
  /** What verified it: a key, a certificate of sigstore, or a trust store. */
  readonly kind: 'key' | 'certificate' | 'trust-store';
  /** Of the authority. */
  readonly name: string;
  /** The same for all signatures of one signer, under whatever name: those who count signers count these. */
  readonly id: string;
  /** Who the certificate is for, and who vouched for that; in a trust store by their names in it. */
  readonly identity?: string;
  /** Who vouched for the identity of a certificate. */
  readonly issuer?: string;
  /** By a log or a clock that is trusted: `2026-01-31T12:00:00.000Z`. */
  readonly signedAt?: string;
}

/** A signature that may be right, of somebody else. */
export class NotSigner extends InvalidSignature {}

/** By which of the authorities a signature counts: the first one. @throws InvalidSignature if it counts by none */
export async function findSignatory(authorities: readonly Authority[], signed: SignedBytes): Promise<Signatory> {
  const strangers: string[] = [];
  const problems = new Set<string>();
  for (const authority of authorities) {
    try {
      return await authority.check(signed);
    } catch (error) {
      if (error instanceof NotSigner) strangers.push(authority.name);
      else if (error instanceof InvalidSignature) problems.add(error.message);
      else throw error;
    }
  }
  const notSigned = strangers.length > 0 ? [`it is not signed by ${strangers.join(' or ')}`] : [];
  throw new InvalidSignature([...notSigned, ...problems].join('; '));
}
