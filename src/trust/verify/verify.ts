/** Verifies the signatures and attestations of an image, wherever cosign's versions put them. */
import type { Attested, AttestedRule } from './attested.ts';
import { judgeTag } from './layers.ts';
import { type LookLimits, lookWithin } from './look.ts';
import { judgeReferrersBy } from './referrers.ts';
import type { SignatureRules } from './rules.ts';
import type { Verdict, VerifyRequest } from './verdict.ts';

/**
 * Looks in the list of referrers, or the tag that has it, and under the tag for signatures, and judges each that is there.
 *
 * @throws OciError whatever a list or a read fails with: a failure is not taken for "no signature". TOO_LARGE, TIMEOUT
 */
export async function judgeSignatures(request: VerifyRequest, limits: LookLimits = {}): Promise<readonly Verdict[]> {
  const [verdicts = []] = await judgeBy([request.rules], request, limits);
  return verdicts;
}

/** @returns The verdicts by each of the rules. */
async function judgeBy(
  all: readonly SignatureRules[],
  request: VerifyRequest,
  limits: LookLimits,
): Promise<readonly (readonly Verdict[])[]> {
  return await lookWithin(request, limits, async (look) => {
    const inReferrers = judgeReferrersBy(all, look);
    const underTags = all.map((rules) => judgeTag({ ...look, rules }));
    // All end before an error is thrown: nothing continues in the background.
    await Promise.allSettled([inReferrers, ...underTags]);
    const referrers = await inReferrers;
    return await Promise.all(underTags.map(async (verdicts, i) => [...(referrers[i] ?? []), ...(await verdicts)]));
  });
}

/** Which attestations count: `attested` says of what type, and with which fields. */
export type AttestationRules = Omit<SignatureRules, 'annotations'> & { readonly attested: AttestedRule };

type AttestationRequest = Omit<VerifyRequest, 'rules'> & { readonly rules: AttestationRules };

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
  request: AttestationRequest,
  limits: LookLimits = {},
): Promise<readonly AttestationVerdict[]> {
  const rules = { ...request.rules, annotations: {} };
  const [verdicts = []] = await judgeBy([rules], { ...request, rules }, limits);
  return verdicts as readonly AttestationVerdict[];
}

/** Signatures, and attestations, in one look: what refers to the image is listed and read once. @throws OciError likewise */
export async function judgeBoth(
  request: VerifyRequest,
  attested: AttestedRule,
): Promise<{ readonly verdicts: readonly Verdict[]; readonly attestations: readonly AttestationVerdict[] }> {
  const { attested: _, ...rules } = request.rules;
  const [verdicts = [], attestations = []] = await judgeBy(
    [rules, { ...rules, annotations: {}, attested }],
    request,
    {},
  );
  return { verdicts, attestations: attestations as readonly AttestationVerdict[] };
}
