/** Signatures by certificates that must not count: each differs in one thing from one that counts, and is refused for that. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { exactly, matchingWhole } from '../../../src/trust/sigstore/identity.ts';
import {
  codeSigning,
  emailName,
  extensions,
  hour,
  issue,
  newKeys,
  serverAuth,
  uriName,
} from '../../support/trust/certificates.ts';
import { der, octets, utf8 } from '../../support/trust/der.ts';
import { ciIdentity, TestSigstore } from '../../support/trust/sigstore.ts';
import { json } from '../support/signing.ts';
import { describeForged, type Forged, signedWith } from './forged.ts';
import { KeylessPlace, layerAnnotations } from './keyless-place.ts';

const regexp = (text: string) => matchingWhole(text, '--certificate-identity-regexp');

/** With the certificate of others, and an entry of its own. */
const withCertificate =
  (make: (keyless: KeylessPlace) => ReturnType<TestSigstore['certificate']>) =>
  (keyless: KeylessPlace): Promise<unknown> =>
    keyless.bundle({ certificate: make(keyless) });

const forged: Readonly<Record<string, Forged>> = {
  'a wrong identity': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ identity: emailName('evil@example.com') })),
    reason: /signed by "evil@example\.com" \(issuer "https:\/\/issuer\.example\.com"\) instead of "ci@example\.com"/,
  },
  'an identity that is a URI instead of an address': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ identity: uriName(`mailto:${ciIdentity}`) })),
    reason: /signed by "mailto:ci@example\.com"/,
  },
  'an identity that an unanchored pattern would find': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ identity: emailName('ci@example.com.evil.net') })),
    identities: () => ({ identity: regexp('ci@example\\.com') }),
    reason: /signed by "ci@example\.com\.evil\.net"/,
  },
  'an identity before which an unanchored alternative would begin': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ identity: emailName('evil-ci@example.com') })),
    identities: () => ({ identity: regexp('a@example\\.com|ci@example\\.com') }),
    reason: /signed by "evil-ci@example\.com"/,
  },
  'a dot of an exact identity, which is no pattern': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ identity: emailName('ci@exampleXcom') })),
    reason: /signed by "ci@exampleXcom"/,
  },
  'an identity with a character that others read as ASCII': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ identity: emailName('ci@\u00e5xample.com') })),
    reason: /not ASCII/,
  },
  'an identity that ends with a zero': {
    forge: withCertificate(({ sigstore }) =>
      sigstore.certificate({ identity: emailName('ci@example.com\u0000.evil.net') }),
    ),
    reason: /hidden characters/,
  },
  'a certificate for two names': {
    forge: withCertificate(({ sigstore }) => {
      const names = Buffer.concat([emailName(ciIdentity), emailName('evil@example.com')]);
      return sigstore.certificate({ identity: names });
    }),
    reason: /several names/,
  },
  'another issuer': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ oidcIssuer: 'https://evil.example.com' })),
    reason: /issuer "https:\/\/evil\.example\.com"\) instead/,
  },
  'a certificate that names two issuers': {
    forge: withCertificate(({ sigstore }) => {
      const more = [{ id: '1.3.6.1.4.1.57264.1.1', value: Buffer.from('https://issuer.example.com') }];
      return sigstore.certificate({ oidcIssuer: 'https://evil.example.com', more });
    }),
    reason: /extension 1\.3\.6\.1\.4\.1\.57264\.1\.1 twice/,
  },
  'a certificate whose issuer differs by the place where it is looked for': {
    forge: withCertificate(({ sigstore }) =>
      sigstore.certificate({
        extensions: [
          extensions.usage(codeSigning),
          extensions.names(emailName(ciIdentity)),
          { id: '1.3.6.1.4.1.57264.1.1', value: Buffer.from('https://evil.example.com') },
          { id: '1.3.6.1.4.1.57264.1.8', value: utf8('https://issuer.example.com') },
        ],
      }),
    ),
    reason: /names two issuers/,
  },
  'a certificate without an issuer': {
    forge: withCertificate(({ sigstore }) =>
      sigstore.certificate({ extensions: [extensions.usage(codeSigning), extensions.names(emailName(ciIdentity))] }),
    ),
    reason: /signed by "ci@example\.com" \(no issuer\)/,
  },
  'an identity that expired before it was signed': {
    forge: async (keyless) => keyless.bundle({ at: new Date(Date.now() + hour) }),
    reason: /not valid when it was signed/,
  },
  'an identity that was not valid yet': {
    forge: async (keyless) => keyless.bundle({ at: new Date(Date.now() - hour) }),
    reason: /not valid when it was signed/,
  },
  'a root that is not trusted': {
    forge: async (keyless) => keyless.bundle(),
    identities: ({ sigstore }) => ({
      root: sigstore.trustedRoot({
        certificateAuthorities: new TestSigstore().trustedRoot()['certificateAuthorities' as never],
      }),
    }),
    reason: /not issued by an authority of the trusted root/,
  },
  'a truncated chain': {
    forge: withCertificate(({ sigstore }) => {
      const between = issue({
        name: 'Between',
        issuer: sigstore.intermediate,
        extensions: [extensions.authority(), extensions.keyUsage(5, 6)],
      });
      return sigstore.certificate({ issuer: between });
    }),
    reason: /not issued by an authority of the trusted root/,
  },
  'a certificate that is signed by itself': {
    forge: withCertificate(({ sigstore }) => {
      const keys = newKeys();
      const own = issue({ name: 'Intermediate', keys, extensions: [extensions.authority()] });
      return sigstore.certificate({ issuer: own, keys });
    }),
    reason: /not issued by an authority of the trusted root/,
  },
  'a certificate that another one issued, which is no authority': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ issuer: sigstore.certificate() })),
    reason: /not issued by an authority of the trusted root/,
  },
  'a certificate without code signing': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ usage: serverAuth })),
    reason: /not for code signing/,
  },
  'a certificate that is that of an authority': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ more: [extensions.authority()] })),
    reason: /that of an authority/,
  },
  'a certificate with a critical extension that nobody understands': {
    forge: withCertificate(({ sigstore }) => {
      return sigstore.certificate({ more: [{ id: '1.2.3.4', critical: true, value: octets() }] });
    }),
    reason: /critical extension 1\.2\.3\.4/,
  },
  'a certificate that is in no log of certificates': {
    forge: withCertificate(({ sigstore }) => sigstore.certificate({ unlogged: true })),
    reason: /in no log of certificates/,
  },
  'a certificate whose log is not trusted': {
    forge: async (keyless) => keyless.bundle(),
    identities: ({ sigstore }) => ({
      root: sigstore.trustedRoot({ ctlogs: new TestSigstore().trustedRoot()['ctlogs' as never] }),
    }),
    reason: /log of certificates has not signed/,
  },
  'a certificate with a key of another kind': {
    forge: async (keyless) => {
      const { generateKeyPairSync } = await import('node:crypto');
      const certificate = keyless.sigstore.certificate({ keys: generateKeyPairSync('ed25519') });
      const signed = { ...keyless.envelope(keyless.sigstore.certificate()) };
      return keyless.bundle({ certificate, signed });
    },
    reason: /Ed25519/,
  },
  'a signature by another key than that of the certificate': {
    forge: async (keyless) => {
      const certificate = keyless.sigstore.certificate();
      return keyless.bundle({ certificate, signed: keyless.envelope(keyless.sigstore.certificate()) });
    },
    reason: /not signed by the key of its certificate/,
  },
  'a signature under the tag by another key': {
    forge: async (keyless) => {
      const signature = keyless.place.signature(json(keyless.place.claims()));
      return keyless.tag({ signature });
    },
    reason: /not signed by the key of its certificate/,
  },
  'two DSSE signatures of which one is valid': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      const signatures = [...signed.envelope.signatures, { sig: keyless.place.signature(json({})) }];
      return keyless.bundle({ certificate, signed: { ...signed, envelope: { ...signed.envelope, signatures } } });
    },
    reason: /several signatures/,
  },
  'an attestation counted as a signature': {
    forge: async (keyless) => {
      const certificate = keyless.sigstore.certificate();
      const predicateType = 'https://slsa.dev/provenance/v1';
      return keyless.bundle({
        certificate,
        signed: keyless.envelope(certificate, keyless.place.statement({ predicateType })),
      });
    },
    reason: /is an attestation/,
  },
  'a certificate that is not DER': {
    forge: async (keyless) => keyless.bundle({ material: { certificate: { rawBytes: 'AAAA' } } }),
    reason: /certificate of it cannot be read/,
  },
  'a certificate with bytes behind it': {
    forge: async (keyless) => {
      const rawBytes = Buffer.concat([keyless.sigstore.certificate().der, octets()]).toString('base64');
      return keyless.bundle({ material: { certificate: { rawBytes } } });
    },
    reason: /not DER/,
  },
  'a certificate that is nested without end': {
    forge: async (keyless) => {
      let nested = octets();
      for (let depth = 0; depth < 5000; depth += 1) nested = der(0x04, nested);
      return keyless.bundle({
        certificate: keyless.sigstore.certificate({ more: [{ id: '1.2.3.4', value: nested }] }),
      });
    },
    reason: /nested too deep/,
  },
  'a certificate of more than 32 KiB': {
    forge: withCertificate(({ sigstore }) =>
      sigstore.certificate({ more: [{ id: '1.2.3.4', value: Buffer.alloc(40_000) }] }),
    ),
    reason: /more than 32768 bytes/,
  },
  'a certificate under the tag that is not PEM': {
    forge: async (keyless) => keyless.tag({ annotations: { [layerAnnotations.certificate]: 'AAAA' } }),
    reason: /no certificate in PEM/,
  },
  'two certificates under the tag': {
    forge: async (keyless) => {
      const certificate = keyless.sigstore.certificate();
      const both = certificate.pem + keyless.sigstore.certificate().pem;
      return keyless.tag({ certificate, annotations: { [layerAnnotations.certificate]: both } });
    },
    reason: /several certificates/,
  },
  'no certificate under the tag': {
    forge: async (keyless) => keyless.tag({ annotations: { [layerAnnotations.certificate]: '' } }),
    reason: /has no certificate/,
  },
  'a bundle with the hint of a key': {
    forge: async (keyless) => keyless.bundle({ material: { certificate: undefined, publicKey: { hint: 'any' } } }),
    reason: /a key verifies it/,
  },
  'a bundle with both a key and a certificate': {
    forge: async (keyless) => keyless.bundle({ material: { publicKey: { hint: 'any' } } }),
    reason: /a key verifies it/,
  },
};

describeForged('a forged signature by a certificate', forged);

describe('a pattern of identities', () => {
  it('that takes for ever ends the look, and is named', async () => {
    const keyless = await KeylessPlace.create();
    const identity = emailName(`${'a'.repeat(60)}@`);
    await keyless.bundle({ certificate: keyless.sigstore.certificate({ identity }) });
    await assert.rejects(
      keyless.verify({ identity: regexp('(a+)+!'), issuer: exactly('x') }),
      (error) => isOciError(error, 'USAGE') && /takes too long/.test(error.message),
    );
  });
});
