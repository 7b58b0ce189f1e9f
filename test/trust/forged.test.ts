/** Signatures that must not count: each is refused, and for its own reason. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { OciError } from '../../src/model/errors.ts';
import { digestTag } from '../../src/model/reference/digest-tag.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { bundleType } from '../../src/trust/formats/bundle.ts';
import { keyAuthority } from '../../src/trust/verify/key-authority.ts';
import type { SignatureRules } from '../../src/trust/verify/rules.ts';
import { app } from '../commands/copy/places.ts';
import { buildIndex, pushImage } from '../support/images.ts';
import { json, newKey, SignedPlace } from './support/signing.ts';

interface Forged {
  readonly forge: (place: SignedPlace) => Promise<unknown>;
  readonly reason: RegExp;
  readonly rules?: Partial<SignatureRules>;
}

const forged: Readonly<Record<string, Forged>> = {
  'a signature of another digest, under the tag of this one': {
    forge: async (place) => {
      const image = { 'docker-manifest-digest': place.other.descriptor.digest };
      await place.tag(await place.layer(json(place.claims({ image }))));
    },
    reason: /signs another digest/,
  },
  'a payload that was changed after it was signed': {
    forge: async (place) => {
      const signature = place.signature(json(place.claims()));
      await place.tag(await place.layer(json(place.claims({}, { env: 'prod' })), signature));
    },
    reason: /not signed by owner\.pub/,
  },
  'a signature for another repository, where the rule asks for this one': {
    forge: async (place) => {
      const identity = { 'docker-reference': 'registry.example.com/other/app' };
      await place.tag(await place.layer(json(place.claims({ identity }))));
    },
    rules: { reference: 'repository' },
    reason: /it is for "registry\.example\.com\/other\/app"/,
  },
  'a signature for a repository whose name only begins with this one': {
    forge: async (place) => {
      const identity = { 'docker-reference': 'registry.example.com/team/app/evil' };
      await place.tag(await place.layer(json(place.claims({ identity }))));
    },
    rules: { reference: 'repository' },
    reason: /it is for/,
  },
  'a signature for another tag, where the rule asks for this one': {
    forge: async (place) => {
      const identity = { 'docker-reference': 'registry.example.com/team/app:2' };
      await place.tag(await place.layer(json(place.claims({ identity }))));
    },
    rules: { reference: 'exact' },
    reason: /instead of registry\.example\.com\/team\/app:1$/,
  },
  'a signature without a tag, where the rule asks for one': {
    forge: async (place) => {
      const identity = { 'docker-reference': 'registry.example.com/team/app' };
      await place.tag(await place.layer(json(place.claims({ identity }))));
    },
    rules: { reference: 'exact' },
    reason:
      /instead of registry\.example\.com\/team\/app:1; a policy with reference: repository \(in a policy\.json matchRepository\) takes it/,
  },
  'a bundle, which names no repository, where the rule asks for one': {
    forge: async (place) => place.bundle(place.envelope(json(place.statement()))),
    rules: { reference: 'repository' },
    reason: /names no repository/,
  },
  'an annotation of another value than the one that is asked for': {
    forge: async (place) => place.tag(await place.layer(json(place.claims({}, { env: 'test' })))),
    rules: { annotations: { env: 'prod' } },
    reason: /annotation "env" is "test"/,
  },
  'an annotation in a bundle that is asked for, and missing': {
    forge: async (place) => place.bundle(place.envelope(json(place.statement()))),
    rules: { annotations: { env: 'prod' } },
    reason: /annotation "env" is missing/,
  },
  'a signature by another key': {
    forge: async (place) => {
      const payload = json(place.claims());
      await place.tag(await place.layer(payload, place.signature(payload, place.stranger.privateKey)));
    },
    reason: /not signed by owner\.pub/,
  },
  'a bundle by another key': {
    forge: async (place) => place.bundle(place.envelope(json(place.statement()), { key: place.stranger.privateKey })),
    reason: /not signed by owner\.pub/,
  },
  'a bundle with the hint of the right key, by another': {
    forge: async (place) => {
      const { keyHint } = await import('../../src/trust/keys/public-key.ts');
      const verificationMaterial = { publicKey: { hint: keyHint(place.owner.publicKey) } };
      const envelope = place.envelope(json(place.statement()), { key: place.stranger.privateKey });
      await place.bundle(envelope, { verificationMaterial });
    },
    reason: /not signed by owner\.pub/,
  },
  'a key of another type': {
    forge: async (place) => place.tag(await place.layer(json(place.claims()))),
    rules: { authorities: [keyAuthority('rsa.pub', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)] },
    reason: /not signed by rsa\.pub/,
  },
  'a key on another curve': {
    forge: async (place) => place.tag(await place.layer(json(place.claims()))),
    rules: { authorities: [keyAuthority('p384.pub', newKey('P-384').publicKey)] },
    reason: /not signed by p384\.pub/,
  },
  'a bundle whose subject was swapped': {
    forge: async (place) => {
      const subject = [{ digest: { sha256: place.other.descriptor.digest.slice(7) } }];
      await place.bundle(place.envelope(json(place.statement({ subject }))));
    },
    reason: /signs another digest/,
  },
  'a bundle without a subject': {
    forge: async (place) => place.bundle(place.envelope(json(place.statement({ subject: [] })))),
    reason: /signs no digest/,
  },
  'a subject of another algorithm, with the same letters': {
    forge: async (place) => {
      const subject = [{ digest: { blake3: place.digest.slice(7) } }];
      await place.bundle(place.envelope(json(place.statement({ subject }))));
    },
    reason: /signs another digest/,
  },
  'a statement of an unknown type': {
    forge: async (place) => place.bundle(place.envelope(json(place.statement({ _type: 'https://example.com/any' })))),
    reason: /statement has the type/,
  },
  'an attestation counted as a signature': {
    forge: async (place) => {
      const predicateType = 'https://slsa.dev/provenance/v1';
      await place.bundle(place.envelope(json(place.statement({ predicateType, predicate: {} }))));
    },
    reason: /is an attestation/,
  },
  'two signatures, of which none counts': {
    forge: async (place) => {
      const payload = json(place.claims());
      const stranger = place.signature(payload, place.stranger.privateKey);
      const image = { 'docker-manifest-digest': place.other.descriptor.digest };
      await place.tag(await place.layer(payload, stranger), await place.layer(json(place.claims({ image }))));
    },
    reason: /not signed by owner\.pub|signs another digest/,
  },
  'a bundle with two signatures, of which one is valid': {
    forge: async (place) => {
      const right = place.envelope(json(place.statement())) as { readonly signatures: readonly unknown[] };
      const wrong = { sig: place.signature(json({}), place.stranger.privateKey) };
      await place.bundle({ ...right, signatures: [wrong, ...right.signatures] });
    },
    reason: /several signatures/,
  },
  'a payload of an unknown type in an envelope': {
    forge: async (place) => place.bundle(place.envelope(json(place.statement()), { type: 'application/json' })),
    reason: /type of its payload is "application\/json"/,
  },
  'a payload whose type was signed as another (confusion in DSSE)': {
    forge: async (place) =>
      place.bundle(place.envelope(json(place.statement()), { signedType: 'application/vnd.other+json' })),
    reason: /not signed by owner\.pub/,
  },
  'a signature of the bare payload in an envelope (confusion of formats)': {
    forge: async (place) => {
      const statement = json(place.statement());
      const envelope = place.envelope(statement);
      await place.bundle({ ...envelope, signatures: [{ sig: place.signature(statement) }] });
    },
    reason: /not signed by owner\.pub/,
  },
  'a payload of another type of simple signing': {
    forge: async (place) => place.tag(await place.layer(json(place.claims({ type: 'atomic container signature' })))),
    reason: /payload has the type "atomic container signature"/,
  },
  'a tag of signatures that points to an image': {
    forge: (place) => pushImage(place.registry, app, digestTag(place.image.descriptor.digest, 'sig'), place.other),
    reason: /image or artifact without signatures/,
  },
  'a tag of signatures that points to an index': {
    forge: async (place) => {
      const index = await buildIndex([place.other]);
      await pushImage(place.registry, app, digestTag(place.image.descriptor.digest, 'sig'), index);
    },
    reason: /is an index/,
  },
  'a bundle with a certificate, which no key verifies': {
    forge: async (place) => {
      const verificationMaterial = { certificate: { rawBytes: 'AAAA' } };
      await place.bundle(place.envelope(json(place.statement())), { verificationMaterial });
    },
    reason: /a certificate verifies it/,
  },
  'a bundle that signs bytes instead of a statement': {
    forge: (place) => place.bundle(undefined, { messageSignature: { signature: 'AAAA' } }),
    reason: /signs bytes/,
  },
  'a bundle of an unknown version': {
    forge: (place) => place.bundle(place.envelope(json(place.statement())), { mediaType: `${bundleType}9` }),
    reason: /bundle of the type/,
  },
  'a bundle that is not JSON': { forge: (place) => place.attach(Buffer.from('{')), reason: /not a JSON object/ },
  'a bundle that is not text': { forge: (place) => place.attach(Buffer.from([0xff, 0xfe])), reason: /not text/ },
  'a bundle that nests without end': {
    forge: (place) => place.attach(Buffer.from('{"a":'.repeat(100_000))),
    reason: /not a JSON object/,
  },
  'an envelope whose payload is not base64': {
    forge: (place) => place.bundle({ ...place.envelope(json(place.statement())), payload: '%%%%' }),
    reason: /payload is not base64/,
  },
  'an envelope without a signature': {
    forge: (place) => place.bundle({ ...place.envelope(json(place.statement())), signatures: [] }),
    reason: /no signature/,
  },
  'a signature that is not DER': {
    forge: async (place) => {
      const envelope = place.envelope(json(place.statement()));
      await place.bundle({ ...envelope, signatures: [{ sig: Buffer.from('0000').toString('base64') }] });
    },
    reason: /not signed by owner\.pub/,
  },
  'a layer without a signature': {
    forge: async (place) => place.tag(await place.layer(json(place.claims()), '')),
    reason: /signature is missing/,
  },
  'a signature that is not base64': {
    forge: async (place) => place.tag(await place.layer(json(place.claims()), '!')),
    reason: /not base64/,
  },
  'a signed payload that is not JSON': {
    forge: async (place) => place.tag(await place.layer(Buffer.from('signed'))),
    reason: /payload is not a JSON object/,
  },
};

describe('a forged signature does not count:', () => {
  for (const [name, { forge, reason, rules }] of Object.entries(forged)) {
    it(name, async () => {
      const place = await SignedPlace.create();
      await forge(place);
      const verdicts = await place.verify(rules);
      assert.ok(verdicts.length > 0);
      for (const verdict of verdicts) {
        assert.equal(verdict.accepted, undefined);
        assert.match(verdict.reason ?? '', reason);
      }
    });
  }

  it('a list of referrers that names one of another subject', async () => {
    const place = await SignedPlace.create();
    const foreign = await place.bundle(place.envelope(json(place.statement())), {}, place.other.descriptor);
    const registry: Registry = Object.create(place.registry, {
      referrers: {
        value: async function* () {
          yield { ...foreign, artifactType: bundleType };
        },
      },
    });
    const [verdict] = await place.verify({}, registry);
    assert.match(verdict?.reason ?? '', /refers to another manifest/);
  });

  it('a signature that is listed, and is gone when it is read', async () => {
    const place = await SignedPlace.create();
    const bundle = await place.bundle(place.envelope(json(place.statement())));
    const registry: Registry = Object.create(place.registry, {
      getManifest: {
        value: (repo: typeof app, reference: string) =>
          reference === bundle.digest
            ? Promise.reject(new OciError('MANIFEST_UNKNOWN', 'gone'))
            : place.registry.getManifest(repo, reference as typeof bundle.digest),
      },
    });
    const [verdict] = await place.verify({}, registry);
    assert.match(verdict?.reason ?? '', /cannot be read: gone/);
  });
});
