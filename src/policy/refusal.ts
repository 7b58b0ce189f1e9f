/** Says why an image does not comply: by which rule, what was found, and what to do. */
import { formatOrigin } from '../config/origin.ts';
import { describeAttested, type Requirement, type TrustRule } from '../config/trust-rules.ts';
import { OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import type { Authority } from '../trust/verify/authority.ts';
import type { Verdict } from '../trust/verify/verdict.ts';
import type { Judged, Judgement } from './judge.ts';

const toldReasons = 5;
const toldManifests = 3;

/** `policy.yaml:4:3, "registry.example.com/team/**"` */
function describeRule({ origin, scope }: TrustRule): string {
  return `${formatOrigin(origin)}, ${scope === 'default' ? 'the default' : `the rule for ${visible(scope)}`}`;
}

/** By which rule an image may be copied. */
export function approval({ rule, judged }: Judgement): string {
  const by = describeRule(rule);
  if (rule.says === 'accept') return `accepted without a look at signatures (${by})`;
  const all = judged.flatMap(({ verdicts, attestations }) => [...verdicts, ...attestations]);
  const signers = new Set(all.flatMap(({ accepted }) => accepted?.signedBy.name ?? []));
  return `complies with the policy (${by})${signers.size > 0 ? `: signed by ${[...signers].map(visible).join(', ')}` : ''}`;
}

/** @param name The image, as it was asked for. */
export function refusal(name: string, judgement: Judgement, signers: readonly Authority[]): OciError {
  const { rule, missed, judged } = judgement;
  const by = describeRule(rule);
  if (!missed) {
    return new OciError('UNTRUSTED', `${name} is rejected by the policy (${by})`, {
      hint: 'what may be copied is written there: a rule for its repository counts more than the default',
    });
  }
  const told = judged.slice(0, toldManifests).map((one) => describeJudged(missed, one));
  const more = judged.length > told.length ? `; and ${judged.length - told.length} more manifests` : '';
  const message = `${name} does not comply with the policy (${by}): ${told.join('; ')}${more}`;
  return new OciError('UNTRUSTED', message, { hint: `it takes ${wanted(missed, signers)}` });
}

function wanted({ atLeast, attested, signed }: Requirement, signers: readonly Authority[]): string {
  const names = signers.map(({ name }) => visible(name)).join(', ');
  const one = signers.length === 1 ? `a signature by ${names}` : `${atLeast} of the signatures by ${names}`;
  const types = visible(attested.map(describeAttested).join(', '));
  const parts = [...(atLeast > 0 ? [one] : []), ...(types === '' ? [] : [`attestations (${types}) by ${names}`])];
  const whose = { 'index-or-image': '', index: ', for the index', image: ', for each image' };
  return parts.join(' and ') + whose[signed];
}

function describeJudged({ atLeast }: Requirement, { digest, verdicts, attestations, lacks }: Judged): string {
  const signatures = atLeast === 0 ? [] : describeSignatures(atLeast, verdicts);
  const attested =
    lacks.length === 0 ? [] : [`no attestation (${visible(lacks.join(', '))}) that counts${why(attestations)}`];
  return `${digest} has ${[...signatures, ...attested].join(' and ')}`;
}

function describeSignatures(atLeast: number, verdicts: readonly Verdict[]): readonly string[] {
  const by = new Map(
    verdicts.flatMap(({ accepted }) => (accepted ? [[accepted.signedBy.id, accepted.signedBy.name]] : [])),
  );
  if (by.size >= atLeast) return [];
  if (verdicts.length === 0) return ['no signature'];
  if (by.size === 0) return [`no signature that counts${why(verdicts)}`];
  return [`signatures by too few (${[...by.values()].map(visible).join(', ')})${why(verdicts)}`];
}

function why(verdicts: readonly Verdict[]): string {
  const reasons = verdicts.flatMap(({ form, at, reason }) =>
    reason === undefined ? [] : [`${form} ${at}: ${reason}`],
  );
  if (reasons.length === 0) return '';
  const more = reasons.length > toldReasons ? `; and ${reasons.length - toldReasons} more` : '';
  return ` (${reasons.slice(0, toldReasons).join('; ')}${more})`;
}
