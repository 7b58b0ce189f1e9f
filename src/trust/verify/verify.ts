/** Verifies the signatures and attestations of an image, wherever cosign's versions put them. */
import type { Attested, AttestedRule } from './attested.ts';
import { judgeTag } from './layers.ts';
import { judgeReferrers } from './referrers.ts';
import type { SignatureRules } from './rules.ts';
import type { Verdict, VerifyRequest } from './verdict.ts';

/**
 * Looks in the list of referrers, or the tag that has it, and under the tag for signatures, and judges each that is there.
 *
 * @throws OciError whatever a list or a read fails with: a failure is not taken for "no signature". TOO_LARGE
 */
export async function judgeSignatures(request: VerifyRequest): Promise<readonly Verdict[]> {
  const looks = [judgeReferrers(request), judgeTag(request)];
  // Both end before an error is thrown: nothing continues in the background.
  await Promise.allSettled(looks);
  return (await Promise.all(looks)).flat();
}

/** Which attestations count: `attested` says of what type, and with which fields. */
export type AttestationRules = Omit<SignatureRules, 'annotations'> & { readonly attested: AttestedRule };

/** What became of one attestation. One that counts has what it says in `accepted.attested`. */
export interface AttestationVerdict extends Verdict {
  /** Undefined if it does not count. */
  readonly accepted?: NonNullable<Verdict['accepted']> & { readonly attested: Attested };
}

/**
 * The same for attestations, under the tag `sha256-….att`. A signature does not count as one.
 *
 * @throws OciError as {@link judgeSignatures}; USAGE for a type that is neither a short name nor a URI
 */
export async function judgeAttestations(
  request: Omit<VerifyRequest, 'rules'> & { readonly rules: AttestationRules },
): Promise<readonly AttestationVerdict[]> {
  const rules = { ...request.rules, annotations: {} };
  return (await judgeSignatures({ ...request, rules })) as readonly AttestationVerdict[];
}
