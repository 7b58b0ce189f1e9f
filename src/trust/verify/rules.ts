/** What a signature has to be, to count. */
import type { Digest } from '../../model/digest.ts';
import { quote } from '../../model/quote.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import type { SignedClaims } from '../formats/simple-signing.ts';
import type { AttestedRule } from './attested.ts';
import type { Authority } from './authority.ts';

/**
 * Which name a signature may have signed: any, so that a copy of an image verifies too; the repository, with any tag or
 * none; or exactly the name that was asked for.
 */
type ReferenceRule = 'any' | 'repository' | 'exact';

export interface SignatureRules {
  /** Who may sign: one of them is enough. */
  readonly authorities: readonly Authority[];
  readonly reference: ReferenceRule;
  /** The name that was asked for, in full. */
  readonly name: { readonly repository: string; readonly exact: string };
  /** Those that the signature must have signed. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Attestations are looked for, in place of signatures. */
  readonly attested?: AttestedRule | undefined;
}

/** @throws InvalidSignature for claims of another digest or name, or that lack an annotation. */
export function checkClaims(claims: SignedClaims, digest: Digest, rules: SignatureRules): void {
  if (claims.digest !== digest) throw new InvalidSignature(`it signs another digest, ${quote(claims.digest)}`);
  if (rules.reference !== 'any') checkIdentity(claims.identity, rules);
  for (const [key, value] of Object.entries(rules.annotations)) {
    const signed = claims.annotations[key];
    if (signed === value) continue;
    const problem = signed === undefined ? 'is missing' : `is ${quote(signed)}`;
    throw new InvalidSignature(`its annotation ${quote(key)} ${problem} instead of ${quote(value)}`);
  }
}

function checkIdentity(identity: string | undefined, { reference, name }: SignatureRules): void {
  if (identity === undefined) throw new InvalidSignature('its format names no repository, and one is asked for');
  // Docker Hub has two names. cosign writes this one.
  const signed = identity.replace(/^index\.docker\.io\//, 'docker.io/');
  const isRight = reference === 'exact' ? signed === name.exact : signed.replace(tagOrDigest, '') === name.repository;
  if (isRight) return;
  const expected = reference === 'exact' ? name.exact : name.repository;
  // cosign's name no tag.
  const way =
    signed === name.repository
      ? '; a policy with reference: repository (in a policy.json matchRepository) takes it'
      : '';
  throw new InvalidSignature(`it is for ${quote(identity)} instead of ${expected}${way}`);
}

const tagOrDigest = /(?::[\w][\w.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]+)?$/;
