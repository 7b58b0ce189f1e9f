/** Signatures of notation that must not count: each differs in one thing from one that does. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { keyAuthority } from '../../../src/trust/verify/key-authority.ts';
import {
  codeSigning,
  extensions,
  hour,
  issue,
  newKeys,
  serverAuth,
  timeStamping,
} from '../../support/trust/certificates.ts';
import { octets } from '../../support/trust/der.ts';
import { headerNames, TestCompany } from '../../support/trust/notation.ts';
import { json } from '../support/signing.ts';
import { describeForged, type Forged } from './forged.ts';
import { NotationPlace } from './notation-place.ts';
import { asAuthority, rsa, text } from './signing-cases.ts';

const { scheme, expiry } = headerNames;

const forged: Readonly<Record<string, Forged>> = {
  'a signature of another digest': {
    forge: (place) => place.sign({ target: place.target({ digest: place.place.other.descriptor.digest }) }),
    reason: /signs another digest/,
  },
  'a signature of another size': {
    forge: (place) => place.sign({ target: place.target({ size: 1 }) }),
    reason: /of 1 bytes instead/,
  },
  'a signature of another media type': {
    forge: (place) => place.sign({ target: place.target({ mediaType: 'application/any' }) }),
    reason: /signs "application\/any"/,
  },
  'a payload that names nothing': { forge: (place) => place.sign({ payload: {} }), reason: /names no artifact/ },
  'a signature by another key than that of the certificate': {
    forge: (place) => place.sign({ key: newKeys().privateKey }),
    reason: /not signed by the key of its certificate/,
  },
  'a payload that was changed': {
    forge: async (place) => {
      const envelope = JSON.parse(place.envelope().toString()) as object;
      const payload = Buffer.from(
        JSON.stringify({ targetArtifact: place.target({ annotations: { a: 'b' } }) }),
      ).toString('base64url');
      await place.attach(json({ ...envelope, payload }));
    },
    reason: /not signed by the key of its certificate/,
  },
  'a root that is not trusted': {
    forge: async (place) => {
      await place.sign();
      return { authorities: [new TestCompany().root] };
    },
    reason: /not signed by certs/,
  },
  'a root with the name of one that is trusted': {
    forge: async (place) => {
      await place.sign();
      return { authorities: [new TestCompany('Company root').root] };
    },
    reason: /not signed by certs/,
  },
  'a truncated chain': {
    forge: async (place) => {
      const by = place.company.certificate();
      await place.sign({ by, chain: [by.der] });
    },
    reason: /chain does not end in a root/,
  },
  'a chain whose certificates do not follow each other': {
    forge: async (place) => {
      const by = place.company.certificate();
      await place.sign({ by, chain: [by.der, new TestCompany().root.der] });
    },
    reason: /do not follow each other/,
  },
  'a trusted root appended to a chain of another': {
    forge: async (place) => {
      const by = new TestCompany('Other root').certificate();
      await place.sign({ by, chain: [by.der, place.company.root.der] });
    },
    reason: /do not follow each other/,
  },
  'a chain above which is no authority': {
    forge: async (place) => {
      const between = place.company.certificate();
      const by = place.company.certificate({ issuer: between });
      await place.sign({ by, chain: [by.der, between.der, place.company.root.der] });
    },
    reason: /not that of an authority/,
  },
  'a chain longer than an authority allows': {
    forge: async (place) => {
      const root = issue({ name: 'Short', extensions: [extensions.authority(0), extensions.keyUsage(5)] });
      const between = issue({
        name: 'Between',
        issuer: root,
        extensions: [extensions.authority(), extensions.keyUsage(5)],
      });
      const by = place.company.certificate({ issuer: between });
      await place.sign({ by, chain: [by.der, between.der, root.der] });
      return { authorities: [root] };
    },
    reason: /longer than one above allows/,
  },
  'a certificate without code signing': {
    forge: (place) => place.sign({ by: place.company.certificate({ usages: [timeStamping] }) }),
    reason: /not for code signing alone/,
  },
  'a certificate for servers too': {
    forge: (place) => place.sign({ by: place.company.certificate({ usages: [codeSigning, serverAuth] }) }),
    reason: /not for code signing alone/,
  },
  'a certificate that may issue certificates': {
    forge: (place) => place.sign({ by: place.company.certificate({ extensions: [extensions.keyUsage(0, 5)] }) }),
    reason: /not for signatures alone/,
  },
  'a certificate with a critical extension that nobody understands': {
    forge: (place) =>
      place.sign({ by: place.company.certificate({ more: [{ id: '1.2.3.4', critical: true, value: octets() }] }) }),
    reason: /critical extension 1\.2\.3\.4/,
  },
  'a certificate that has expired': {
    forge: (place) => place.sign({ by: place.company.certificate({ until: new Date(Date.now() - hour) }) }),
    reason: /valid until .* alone, and not now, by the clock of this machine/,
  },
  'a certificate that is not valid yet': {
    forge: (place) => place.sign({ by: place.company.certificate({ from: new Date(Date.now() + hour) }) }),
    reason: /valid from .* on alone, and not now, by the clock of this machine/,
  },
  'a signature that has expired': {
    forge: (place) => place.sign({ header: { crit: [scheme, expiry], [expiry]: text(new Date(Date.now() - hour)) } }),
    reason: /it expired at .* by the clock of this machine/,
  },
  'an expiry that is not critical': {
    forge: (place) => place.sign({ header: { [expiry]: text(new Date(Date.now() + hour)) } }),
    reason: /expiry is not critical/,
  },
  'an unknown critical header': {
    forge: (place) =>
      place.sign({
        header: { crit: [scheme, 'io.cncf.notary.verificationPlugin'], 'io.cncf.notary.verificationPlugin': 'any' },
      }),
    reason: /critical header "io\.cncf\.notary\.verificationPlugin" is not understood/,
  },
  'a critical header that is missing': {
    forge: (place) => place.sign({ header: { crit: [scheme, expiry] } }),
    reason: /critical header .* or missing/,
  },
  'a payload that says it is not encoded (b64)': {
    forge: (place) => place.sign({ header: { crit: [scheme, 'b64'], b64: false } }),
    reason: /critical header "b64"/,
  },
  'a scheme that is not critical': {
    forge: (place) => place.sign({ header: { crit: undefined } }),
    reason: /signingScheme is not critical/,
  },
  'an unknown scheme': {
    forge: (place) => place.sign({ header: { [scheme]: 'notary.any' } }),
    reason: /signing scheme is "notary\.any"/,
  },
  'a signing authority by certificates that are trusted for less': {
    forge: (place) => place.sign({ header: asAuthority(new Date()) }),
    reason: /not signed by certs/,
  },
  'a signing authority whose time is not critical': {
    forge: async (place) => {
      await place.sign({ header: asAuthority(new Date(), [scheme]) });
      return { signingAuthorities: [place.company.root] };
    },
    reason: /authenticSigningTime is not critical/,
  },
  'algorithm none': { forge: (place) => place.sign({ header: { alg: 'none' } }), reason: /algorithm is "none"/ },
  'an algorithm with the public key as a secret (confusion)': {
    forge: (place) => place.sign({ header: { alg: 'HS256' } }),
    reason: /algorithm is "HS256"/,
  },
  'an algorithm of RSA that notation does not use': {
    forge: (place) => place.sign({ by: place.company.certificate({ keys: rsa(2048) }), header: { alg: 'RS256' } }),
    reason: /algorithm is "RS256"/,
  },
  'an algorithm of another kind of key': {
    forge: (place) => place.sign({ header: { alg: 'PS256' } }),
    reason: /PS256, which is not that of its certificate's key \(ES256\)/,
  },
  'an algorithm of another size of key': {
    forge: (place) =>
      place.sign({ by: place.company.certificate({ keys: newKeys('P-384') }), header: { alg: 'ES256' } }),
    reason: /not that of its certificate's key \(ES384\)/,
  },
  'a key of another kind': {
    forge: (place) =>
      place.sign({ by: place.company.certificate({ keys: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) }) }),
    reason: /not that of its certificate's key/,
  },
  'a payload of another type': {
    forge: (place) => place.sign({ header: { cty: 'application/json' } }),
    reason: /type of its payload is "application\/json"/,
  },
  'an envelope that is not JSON': { forge: (place) => place.attach(Buffer.from('{')), reason: /not a JWS/ },
  'a JWS in its compact form': {
    forge: (place) => place.attach(Buffer.from('e30.e30.e30')),
    reason: /not a JWS in its flattened form/,
  },
  'a header that is not base64url': {
    forge: (place) => place.attach(json({ payload: 'e30', protected: '=', signature: 'AA', header: {} })),
    reason: /header is not base64url/,
  },
  'more certificates than anybody has': {
    forge: async (place) => {
      const by = place.company.certificate();
      await place.sign({ by, chain: Array(17).fill(by.der) });
    },
    reason: /more than 16/,
  },
  'a certificate that is not DER': {
    forge: (place) => place.sign({ chain: [Buffer.from('30', 'hex')] }),
    reason: /certificate of it cannot be read/,
  },
  'a signature in COSE': {
    forge: (place) => place.attach(Buffer.from('d284', 'hex'), 'application/cose'),
    reason: /in COSE, which is not verified here/,
  },
};

describeForged('a forged signature of notation', forged);

describe('a signature of notation does not count', () => {
  it('a right one, where a key is asked for, or the name', async () => {
    const place = await NotationPlace.create();
    await place.sign();
    const [byKey] = await place.verify({}, { authorities: [keyAuthority('owner.pub', place.place.owner.publicKey)] });
    assert.match(byKey?.reason ?? '', /no key verifies/);
    const [named] = await place.verify({}, { reference: 'repository' });
    assert.match(named?.reason ?? '', /names no repository/);
  });
});
