/** Those to whom an authority of a trust store has issued certificates. */
import { createHash } from 'node:crypto';
import { flattenedVerify } from 'jose';
import { type Certificate, usages } from '../certificates/certificate.ts';
import { checkChain } from '../certificates/chain.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import type { SignedBytes } from '../formats/signed-bytes.ts';
import { type Authority, NotSigner } from '../verify/authority.ts';
import type { NotationEnvelope } from './envelope.ts';
import { verifyTimestamp } from './timestamp.ts';
import type { TrustStore } from './trust-store.ts';

/** The one algorithm of each kind of key. */
const algorithms: ReadonlyMap<string, string> = new Map([
  ['rsa 2048', 'PS256'],
  ['rsa 3072', 'PS384'],
  ['rsa 4096', 'PS512'],
  ['ec prime256v1', 'ES256'],
  ['ec secp384r1', 'ES384'],
  ['ec secp521r1', 'ES512'],
]);

/** Whether an authority of the store issued the certificates is decided after what they say was checked. */
export function storeAuthority(store: TrustStore): Authority {
  return {
    name: store.name,
    async check(signed) {
      if (signed.evidence.kind !== 'notation')
        throw new InvalidSignature('it is no signature of notation, which a trust store verifies');
      const { envelope } = signed.evidence;
      const [leaf] = envelope.chain;
      if (!leaf) throw new InvalidSignature('it has no certificates');
      await checkSignature(envelope, leaf);
      const signedAt = checkTime(envelope, signed, store);
      const anchors = envelope.authenticTime ? store.signingAuthorities : store.authorities;
      const anchor = envelope.chain.find(({ der }) => anchors.some((one) => Buffer.from(one.der).equals(der)));
      if (!anchor) throw new NotSigner();
      const subject = leaf.x509.subject.split('\n').join(', ');
      const id = JSON.stringify([createHash('sha256').update(anchor.der).digest('hex'), subject]);
      return {
        kind: 'trust-store',
        name: store.name,
        id,
        identity: subject,
        issuer: leaf.x509.issuer.split('\n').join(', '),
        ...(signedAt && { signedAt: signedAt.toISOString() }),
      };
    },
  };
}

async function checkSignature({ jws, algorithm, critical }: NotationEnvelope, { x509 }: Certificate): Promise<void> {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = x509.publicKey;
  const right = algorithms.get(`${type} ${details?.modulusLength ?? details?.namedCurve}`);
  if (right !== algorithm) {
    throw new InvalidSignature(
      `its algorithm is ${algorithm}, which is not that of its certificate's key${right ? ` (${right})` : ''}`,
    );
  }
  try {
    const crit = Object.fromEntries(critical.map((name) => [name, true]));
    await flattenedVerify(jws, x509.publicKey, { algorithms: [algorithm], crit });
  } catch {
    throw new InvalidSignature('it is not signed by the key of its certificate');
  }
}

/** @returns When it was signed, where that is certain. @throws InvalidSignature */
function checkTime(envelope: NotationEnvelope, { signature }: SignedBytes, { clocks }: TrustStore): Date | undefined {
  const { chain, expiry, authenticTime, timestamp } = envelope;
  const now = new Date();
  if (expiry && expiry <= now) {
    throw new InvalidSignature(
      `it expired at ${expiry.toISOString()}, by the clock of this machine (${now.toISOString()})`,
    );
  }
  const stamped =
    timestamp && clocks.length > 0 && !authenticTime ? verifyTimestamp(timestamp, signature, clocks) : undefined;
  const signedAt = authenticTime ?? stamped;
  const when = signedAt ? 'when it was signed' : 'now, by the clock of this machine';
  checkChain(chain, { at: signedAt ?? now, when, usage: usages.codeSigning });
  return signedAt;
}
