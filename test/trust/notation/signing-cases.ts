/** What tables of signatures of notation have in common. */
import { generateKeyPairSync } from 'node:crypto';
import { hour } from '../../support/trust/certificates.ts';
import { headerNames } from '../../support/trust/notation.ts';
import type { TimestampAuthority } from '../../support/trust/timestamps.ts';
import type { NotationPlace } from './notation-place.ts';

export type Stores = Parameters<NotationPlace['verify']>[0];
export const text = (date: Date): string => date.toISOString().replace(/\.\d+/, '');
const { scheme, signingTime, authenticTime } = headerNames;
const timestampHeader = 'io.cncf.notary.timestampSignature';

export const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength });
/** By a certificate that is not valid any more, with a timestamp. */
export const stamped = (
  place: NotationPlace,
  clock = place.clock,
  changes: Parameters<TimestampAuthority['token']>[1] = {},
) => {
  const at = new Date(Date.now() - 2 * hour);
  const by = place.company.certificate({ from: new Date(at.getTime() - hour), until: new Date(at.getTime() + hour) });
  const unsigned = (signature: Buffer) => ({
    [timestampHeader]: clock.token(signature, { at, ...changes }).toString('base64'),
  });
  return place.sign({ by, unsigned });
};
export const asAuthority = (at: Date, crit = [scheme, authenticTime]) => ({
  crit,
  [scheme]: 'notary.x509.signingAuthority',
  [signingTime]: undefined,
  [authenticTime]: text(at),
});
