/** Attestations that must not count: each is refused, and for its own reason. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestTag } from '../../src/model/reference/digest-tag.ts';
import type { AttestedRule } from '../../src/trust/verify/attested.ts';
import { keyAuthority } from '../../src/trust/verify/key-authority.ts';
import type { SignatureRules } from '../../src/trust/verify/rules.ts';
import { app } from '../commands/copy/places.ts';
import { buildIndex, pushImage } from '../support/images.ts';
import { json, SignedPlace } from './support/signing.ts';

interface Forged {
  /** An envelope, which is put under the tag and into a bundle. Undefined: `forge` did all. */
  readonly forge: (place: SignedPlace) => object | Promise<void>;
  readonly reason: RegExp;
  readonly attested?: AttestedRule;
  readonly rules?: Partial<SignatureRules>;
}

const forged: Readonly<Record<string, Forged>> = {
  'an attestation of another digest': {
    forge: (place) => place.enveloped({ subject: [{ digest: { sha256: place.other.descriptor.digest.slice(7) } }] }),
    reason: /signs another digest/,
  },
  'an attestation of several digests, of which none is this one': {
    forge: (place) => {
      const hex = place.other.descriptor.digest.slice(7);
      return place.enveloped({ subject: [{ digest: { sha256: hex } }, { digest: { sha512: hex } }, null, 'x'] });
    },
    reason: /signs another digest/,
  },
  'an attestation without a subject': {
    forge: (place) => place.enveloped({ subject: [] }),
    reason: /signs no digest/,
  },
  'a subject of another algorithm, with the same letters': {
    forge: (place) => place.enveloped({ subject: [{ digest: { sha512: place.digest.slice(7) } }] }),
    reason: /signs another digest/,
  },
  'a subject whose digest has its algorithm written into it': {
    forge: (place) => place.enveloped({ subject: [{ digest: { sha256: place.digest } }] }),
    reason: /signs another digest/,
  },
  'a subject that was swapped after it was signed': {
    forge: (place) => {
      const subject = [{ digest: { sha256: place.other.descriptor.digest.slice(7) } }];
      const payload = Buffer.from(json(place.attestation())).toString('base64');
      return { ...place.enveloped({ subject }), payload };
    },
    reason: /not signed by owner\.pub/,
  },
  'an attestation of another type': {
    forge: (place) => place.enveloped({ predicateType: 'https://spdx.dev/Document' }),
    attested: { type: 'slsaprovenance' },
    reason: /of the type "https:\/\/spdx\.dev\/Document" instead of slsaprovenance/,
  },
  'an attestation of another version of the type': {
    forge: (place) => place.enveloped({ predicateType: 'https://slsa.dev/provenance/v1' }),
    attested: { type: 'slsaprovenance' },
    reason: /instead of slsaprovenance/,
  },
  'an attestation whose type only begins with the one that is asked for': {
    forge: (place) => place.enveloped({ predicateType: 'https://spdx.dev/Documentary' }),
    attested: { type: 'spdxjson' },
    reason: /instead of spdxjson/,
  },
  'a type of predicate that was changed after it was signed': {
    forge: (place) => {
      const predicateType = 'https://spdx.dev/Document';
      return {
        ...place.enveloped(),
        payload: Buffer.from(json(place.attestation({ predicateType }))).toString('base64'),
      };
    },
    attested: { type: 'spdxjson' },
    reason: /not signed by owner\.pub/,
  },
  'a signature in place of an attestation': {
    forge: (place) => place.envelope(json(place.statement())),
    reason: /is a signature/,
  },
  'a field of another value': {
    forge: (place) => place.enveloped(),
    attested: { fields: { 'builder.id': 'https://other.example.com' } },
    reason: /field "builder\.id" is "https:\/\/builder\.example\.com" instead of/,
  },
  'a field that is not there': {
    forge: (place) => place.enveloped(),
    attested: { fields: { 'builder.version': '1' } },
    reason: /field "builder\.version" is missing/,
  },
  'a field that every object has': {
    forge: (place) => place.enveloped(),
    attested: { fields: { 'builder.constructor.name': 'Object' } },
    reason: /is missing/,
  },
  'a statement without a predicate, of which a field is asked for': {
    forge: (place) => place.enveloped({ predicate: undefined }),
    attested: { fields: { a: 'b' } },
    reason: /is missing/,
  },
  'a payload of an unknown type': {
    forge: (place) => place.envelope(json(place.attestation()), { type: 'application/json' }),
    reason: /type of its payload is "application\/json"/,
  },
  'a payload that was signed as another type': {
    forge: (place) => place.envelope(json(place.attestation()), { signedType: 'application/vnd.other+json' }),
    reason: /not signed by owner\.pub/,
  },
  'an envelope with two signatures, of which one is valid': {
    forge: (place) => {
      const right = place.enveloped() as { readonly signatures: readonly unknown[] };
      const wrong = { sig: place.signature(json({}), place.stranger.privateKey) };
      return { ...right, signatures: [...right.signatures, wrong] };
    },
    reason: /several signatures/,
  },
  'an envelope by another key': {
    forge: (place) => place.envelope(json(place.attestation()), { key: place.stranger.privateKey }),
    reason: /not signed by owner\.pub/,
  },
  'a key of another type': {
    forge: (place) => place.enveloped(),
    rules: { authorities: [keyAuthority('rsa.pub', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)] },
    reason: /not signed by rsa\.pub/,
  },
  'a payload that was cut off': {
    forge: (place) => {
      const envelope = place.enveloped() as { readonly payload: string };
      return { ...envelope, payload: envelope.payload.slice(0, 40) };
    },
    reason: /not signed by owner\.pub/,
  },
  'a payload that is not base64': {
    forge: (place) => ({ ...place.enveloped(), payload: '{}' }),
    reason: /payload is not base64/,
  },
  'a payload that is signed, and not JSON': {
    forge: (place) => place.envelope(Buffer.from('{"_type":')),
    reason: /statement is not a JSON object/,
  },
  'a statement of an unknown type': {
    forge: (place) => place.enveloped({ _type: 'https://example.com/Statement' }),
    reason: /statement has the type/,
  },
  'an envelope without a signature': {
    forge: (place) => ({ ...place.enveloped(), signatures: undefined }),
    reason: /no signature/,
  },
  'an envelope that is no object': { forge: () => [1], reason: /envelope is not a JSON object/ },
  'a name of another repository, where the rule asks for this one': {
    forge: (place) => {
      const subject = [{ name: 'registry.example.com/other', digest: { sha256: place.digest.slice(7) } }];
      return place.enveloped({ subject });
    },
    rules: { reference: 'repository' },
    reason: /it is for "registry\.example\.com\/other"/,
  },
  'a layer that is cut off': {
    forge: (place) => place.attested(json(place.enveloped()).subarray(0, 30)),
    reason: /envelope is not a JSON object/,
  },
  'a layer that nests without end': {
    forge: (place) => place.attested(Buffer.from('{"payload":'.repeat(10_000))),
    reason: /envelope is not a JSON object/,
  },
  'a signature of an image in place of attestations': {
    forge: async (place) => {
      const layer = await place.layer(json(place.claims()));
      const { registry, image } = place;
      await place.tag(layer);
      const signatures = await registry.getManifest(app, digestTag(image.descriptor.digest, 'sig'));
      await registry.pushManifest(app, signatures, { tags: [digestTag(image.descriptor.digest, 'att')] });
    },
    reason: /without attestations/,
  },
  'a tag of attestations that points to an image': {
    forge: async ({ registry, image, other }) => {
      await pushImage(registry, app, digestTag(image.descriptor.digest, 'att'), other);
    },
    reason: /image or artifact without attestations/,
  },
  'a tag of attestations that points to an index': {
    forge: async ({ registry, image, other }) => {
      await pushImage(registry, app, digestTag(image.descriptor.digest, 'att'), await buildIndex([other]));
    },
    reason: /is an index/,
  },
};

describe('a forged attestation does not count:', () => {
  for (const [name, { forge, reason, attested, rules }] of Object.entries(forged)) {
    it(name, async () => {
      const place = await SignedPlace.create();
      const envelope = await forge(place);
      if (envelope) {
        await place.attested(envelope);
        await place.bundle(envelope);
      }
      const verdicts = await place.verifyAttestations(attested, rules);
      assert.equal(verdicts.length, envelope ? 2 : 1);
      for (const verdict of verdicts) {
        assert.equal(verdict.accepted, undefined);
        assert.match(verdict.reason ?? '', reason);
      }
    });
  }

  it('as a signature, in neither form', async () => {
    const place = await SignedPlace.create();
    await place.attested(place.enveloped());
    await place.bundle(place.enveloped());
    const verdicts = await place.verify();
    assert.deepEqual(
      verdicts.map(({ form, accepted, reason }) => [form, accepted, /is an attestation/.test(reason ?? '')]),
      [['bundle', undefined, true]],
    );
  });
});
