import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import type { Attested } from './attested.ts';
import type { Signatory } from './authority.ts';
import type { SignatureRules } from './rules.ts';

/** The manifest whose signatures or attestations are judged, and by which rules. */
export interface VerifyRequest {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly digest: Digest;
  readonly rules: SignatureRules;
  readonly signal?: AbortSignal | undefined;
}

/** What became of one signature or attestation that was found. */
export interface Verdict {
  /** How it is kept: a layer under a tag, a bundle in a referrer, or another referrer. */
  readonly form: 'tag' | 'bundle' | 'notation' | 'referrer';
  /** The tag, or the digest of the referrer. */
  readonly at: Tag | Digest;
  /** The blob with what was signed, or with the bundle. */
  readonly blob?: Digest;
  /** Undefined if it does not count. */
  readonly accepted?: {
    /** Whose it is. */
    readonly signedBy: Signatory;
    /** The name that was signed; undefined where the format has none. */
    readonly identity: string | undefined;
    /** What was signed with the digest. */
    readonly annotations: Readonly<Record<string, string>>;
    /** Of an attestation. */
    readonly attested?: Attested;
  };
  /** Why it does not count. */
  readonly reason?: string;
}

/** What a registry may answer of content that is not as it should be; anything else ends the look. */
const faults = [
  'MANIFEST_UNKNOWN',
  'BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'TOO_LARGE',
] as const;

/** Whether an error is about content that is not as it should be, and not about the registry. */
export function isFault(error: unknown): boolean {
  return error instanceof InvalidSignature || isOciError(error, ...faults);
}

/** Judges one signature: what is wrong with it is its reason, what is wrong with the registry is thrown. */
export async function judge(
  found: Pick<Verdict, 'form' | 'at' | 'blob'>,
  verify: () => Promise<Verdict['accepted']>,
): Promise<Verdict> {
  try {
    const accepted = await verify();
    return { ...found, ...(accepted && { accepted }) };
  } catch (error) {
    if (error instanceof InvalidSignature) return { ...found, reason: error.message };
    if (isOciError(error, ...faults)) return { ...found, reason: `it cannot be read: ${error.message}` };
    throw error;
  }
}
