/** Signatures by certificates that count, in every layout, as a check of the forged ones. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { readBundle } from '../../../src/trust/formats/bundle.ts';
import { certificateAuthority } from '../../../src/trust/sigstore/certificate-authority.ts';
import { exactly, matchingWhole } from '../../../src/trust/sigstore/identity.ts';
import { readTrustedRoot } from '../../../src/trust/sigstore/trusted-root.ts';
import { projectRoot } from '../../support/project.ts';
import { uriName } from '../../support/trust/certificates.ts';
import { envelopeBodyV2 } from '../../support/trust/logs.ts';
import { ciIdentity, ciIssuer } from '../../support/trust/sigstore.ts';
import { type Identities, KeylessPlace, layerAnnotations } from './keyless-place.ts';

const counting: Readonly<Record<string, (keyless: KeylessPlace) => Promise<Identities | undefined>>> = {
  'in a bundle, with a log entry': async (keyless) => {
    await keyless.bundle();
    return undefined;
  },
  'in a bundle whose log entry has only a proof, with a timestamp': async (keyless) => {
    const certificate = keyless.sigstore.certificate();
    const signed = keyless.envelope(certificate);
    const entry = keyless.logEntry(keyless.entryOf(signed, certificate), { inclusionPromise: undefined });
    await keyless.bundle({ certificate, signed, logEntries: [entry], timestamps: [keyless.timestampOf(signed)] });
    return undefined;
  },
  'in a bundle with an entry of Rekor 2, which has a proof and no time': async (keyless) => {
    const certificate = keyless.sigstore.certificate();
    const signed = keyless.envelope(certificate);
    const body = envelopeBodyV2(signed.payload, signed.signature, certificate);
    const entry = keyless.sigstore.log.entry(body, new Date(0));
    const logEntries = [keyless.logEntry(entry, { inclusionPromise: undefined, integratedTime: '0' })];
    await keyless.bundle({ certificate, signed, logEntries, timestamps: [keyless.timestampOf(signed)] });
    return undefined;
  },
  'in a bundle without a log entry, where the root knows no log': async (keyless) => {
    const certificate = keyless.sigstore.certificate();
    const signed = keyless.envelope(certificate);
    await keyless.bundle({ certificate, signed, logEntries: [], timestamps: [keyless.timestampOf(signed)] });
    return { root: keyless.sigstore.trustedRoot({ tlogs: [] }) };
  },
  'in a bundle of the version 0.1, with the chain': async (keyless) => {
    const certificate = keyless.sigstore.certificate();
    const certificates = [certificate, keyless.sigstore.intermediate].map(({ der }) => ({
      rawBytes: der.toString('base64'),
    }));
    await keyless.bundle({
      certificate,
      material: { certificate: undefined, x509CertificateChain: { certificates } },
      changes: { mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1' },
    });
    return undefined;
  },
  'under the tag, with a log entry': async (keyless) => {
    await keyless.tag();
    return undefined;
  },
  'under the tag, with a timestamp too': async (keyless) => {
    const certificate = keyless.sigstore.certificate();
    const payload = JSON.stringify(keyless.place.claims());
    const signature = keyless.place.signature(Buffer.from(payload), certificate.privateKey);
    const answer = keyless.timestampOf({ signature });
    const timestamp = JSON.stringify({ SignedRFC3161Timestamp: answer.toString('base64') });
    await keyless.tag({ certificate, signature, annotations: { [layerAnnotations.timestamp]: timestamp } });
    return undefined;
  },
  'of a URI, by patterns': async (keyless) => {
    const identity = uriName('https://github.com/team/app/.github/workflows/release.yml@refs/tags/v1');
    await keyless.bundle({ certificate: keyless.sigstore.certificate({ identity }) });
    return {
      identity: matchingWhole('https://github\\.com/team/.*', '--certificate-identity-regexp'),
      issuer: matchingWhole('https://issuer\\.example\\.(com|org)', '--certificate-oidc-issuer-regexp'),
    };
  },
};

describe('a signature by a certificate counts', () => {
  for (const [name, write] of Object.entries(counting)) {
    it(name, async () => {
      // Logs note whole seconds.
      const before = Math.floor(Date.now() / 1000) * 1000;
      const keyless = await KeylessPlace.create();
      const verdicts = await keyless.verify(await write(keyless));
      assert.deepEqual(
        verdicts.map(({ reason }) => reason),
        [undefined],
      );
      const signedBy = verdicts[0]?.accepted?.signedBy;
      assert.equal(signedBy?.kind, 'certificate');
      assert.equal(signedBy?.issuer, ciIssuer);
      if (!/URI/.test(name)) assert.equal(signedBy?.identity, ciIdentity);
      const signedAt = Date.parse(signedBy?.signedAt ?? '');
      assert.ok(before <= signedAt && signedAt <= Date.now(), signedBy?.signedAt);
    });
  }

  it('by the first of several authorities that it is of', async () => {
    const keyless = await KeylessPlace.create();
    await keyless.bundle();
    const others = [keyless.authority({ identity: exactly('a@example.com') }), keyless.authority()];
    const [verdict] = await keyless.place.verify({ authorities: others });
    assert.equal(verdict?.accepted?.signedBy.name, `"${ciIdentity}" (issuer "${ciIssuer}")`);
  });
});

describe('an attestation by a certificate', () => {
  const judge = (keyless: KeylessPlace) =>
    keyless.place.verifyAttestations({ type: 'slsaprovenance' }, { authorities: [keyless.authority()] });

  it('counts under the tag, with a log entry of its envelope', async () => {
    const keyless = await KeylessPlace.create();
    await keyless.attested();
    const [verdict] = await judge(keyless);
    assert.equal(verdict?.reason, undefined);
    assert.deepEqual([verdict?.form, verdict?.accepted?.signedBy.identity], ['tag', ciIdentity]);
  });

  it('counts in a bundle', async () => {
    const keyless = await KeylessPlace.create();
    const certificate = keyless.sigstore.certificate();
    await keyless.bundle({ certificate, signed: keyless.envelope(certificate, keyless.place.attestation()) });
    const [verdict] = await judge(keyless);
    assert.deepEqual([verdict?.reason, verdict?.form], [undefined, 'bundle']);
  });

  it('does not count with the log entry of another envelope', async () => {
    const keyless = await KeylessPlace.create();
    const logged = keyless.envelope(keyless.sigstore.certificate(), keyless.place.attestation({ predicate: {} }));
    await keyless.attested({ logged });
    const [verdict] = await judge(keyless);
    assert.equal(verdict?.accepted, undefined);
    assert.match(verdict?.reason ?? '', /log entry/);
  });
});

const fixture = (name: string): Promise<Buffer> => readFile(join(projectRoot, 'test/trust/keyless/fixtures', name));

describe('public bundles', () => {
  for (const [file, identity, issuer, signedAt] of [
    ['cosign-attestation.json', 'cody@soyland.com', 'https://github.com/login/oauth', '2025-02-28T19:18:11.000Z'],
    [
      'npm-provenance.json',
      'https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main',
      'https://token.actions.githubusercontent.com',
      '2023-08-18T16:05:35.000Z',
    ],
  ] as const) {
    it(`are verified by the public root: ${file}`, async () => {
      const root = readTrustedRoot(await fixture('trusted-root.json'), 'trusted-root.json');
      const authority = certificateAuthority({ identity: exactly(identity), issuer: exactly(issuer), root });
      const signatory = await authority.check(readBundle(await fixture(file)));
      assert.deepEqual([signatory.identity, signatory.issuer, signatory.signedAt], [identity, issuer, signedAt]);
      const text = (await fixture(file)).toString();
      // One byte of what is signed, of the signature, and of the promise of the log.
      for (const [pattern, part] of [
        [/"payload":\s*"([^"]*)"/, 'payload'],
        [/"sig":\s*"([^"]*)"/, 'signature'],
        [/"signedEntryTimestamp":\s*"([^"]*)"/, 'promise'],
      ] as const) {
        const value = Buffer.from(pattern.exec(text)?.[1] ?? '', 'base64');
        value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
        const changed = text.replace(pattern, (whole, found: string) => whole.replace(found, value.toString('base64')));
        await assert.rejects(async () => authority.check(readBundle(Buffer.from(changed))), { name: 'Error' }, part);
      }
    });
  }
});

describe('a trusted root is refused', () => {
  for (const [name, change, reason] of [
    ['without authorities', { certificateAuthorities: [] }, /names nobody who issues/],
    ['without logs and clocks', { tlogs: [], timestampAuthorities: [] }, /neither a log nor a clock/],
    ['of another kind', { mediaType: 'application/json' }, /media type/],
    [
      'with a broken key',
      { tlogs: [{ publicKey: { rawBytes: 'AAAA' }, logId: { keyId: 'AAAA' } }] },
      /is no trusted root/,
    ],
  ] as const) {
    it(name, async () => {
      const keyless = await KeylessPlace.create();
      assert.throws(
        () => keyless.authority({ root: keyless.sigstore.trustedRoot(change) }),
        (error) => isOciError(error, 'USAGE') && reason.test(error.message),
      );
    });
  }
});
