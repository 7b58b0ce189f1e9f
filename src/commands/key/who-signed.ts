/** Whose signature counts, for people. */
import { visible } from '../../model/quote.ts';
import type { Signatory } from '../../trust/verify/authority.ts';

/** Clocks may differ by so much. */
const toleratedMs = 5 * 60 * 1000;

export function whoSigned({ kind, name, identity, issuer, signedAt }: Signatory): string {
  const certified = kind === 'trust-store' ? `by ${name}` : `issuer ${visible(issuer ?? 'unknown')}`;
  const by = identity === undefined ? name : `${visible(identity)} (${certified})`;
  if (!signedAt) return by;
  const isAhead = Date.parse(signedAt) > Date.now() + toleratedMs;
  // The time is of a trusted log or clock, so that the signature counts all the same.
  return `${by} at ${signedAt}${isAhead ? ', which is yet to come by the clock of this machine' : ''}`;
}
