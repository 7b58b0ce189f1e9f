/** Attestations that count, and lists that fail, of attestations and of signatures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError, OciError } from '../../src/model/errors.ts';
import { digestTag } from '../../src/model/reference/digest-tag.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { app } from '../commands/copy/places.ts';
import { json, repository, SignedPlace } from './support/signing.ts';

describe('an attestation counts', () => {
  it('in both forms, by its own type, whatever annotations say of it', async () => {
    const place = await SignedPlace.create();
    const envelope = place.enveloped();
    const blob = await place.blob('application/vnd.dsse.envelope.v1+json', json(envelope));
    const lie = { predicateType: 'https://spdx.dev/Document' };
    const config = await place.blob('application/vnd.oci.image.config.v1+json', json({}));
    const tag = digestTag(place.image.descriptor.digest, 'att');
    await place.push({ config, layers: [{ ...blob, annotations: lie }] }, tag);
    await place.bundle(envelope);
    const told = await place.verifyAttestations({
      type: 'slsaprovenance',
      fields: { 'builder.id': 'https://builder.example.com' },
    });
    assert.deepEqual(
      told.map(({ form, accepted }) => [form, accepted?.signedBy.name, accepted?.attested.predicateType]),
      [
        ['bundle', 'owner.pub', 'https://slsa.dev/provenance/v0.2'],
        ['tag', 'owner.pub', 'https://slsa.dev/provenance/v0.2'],
      ],
    );
    for (const { accepted } of await place.verifyAttestations({ type: 'spdxjson' })) assert.equal(accepted, undefined);
  });

  it('of several digests, as it was signed, with the version of its format', async () => {
    const place = await SignedPlace.create();
    const [{ descriptor: other }, hex] = [place.other, place.digest.slice(7)];
    const text = `{"_type":"https://in-toto.io/Statement/v1","predicate": {"id":12345678901234567890, "a.b":[{"c":true}]},
      "predicateType":"https://cyclonedx.org/bom/v1.6",
      "subject":[{"digest":{"sha256":"${other.digest.slice(7)}"}},{"name":"${repository}","digest":{"sha256":"${hex}"}}]}`;
    await place.bundle(place.envelope(Buffer.from(text)));
    const rules = { reference: 'repository' } as const;
    const [verdict] = await place.verifyAttestations({ type: 'cyclonedx', fields: { 'a\\.b.0.c': 'true' } }, rules);
    assert.equal(verdict?.accepted?.attested.predicateText, '{"id":12345678901234567890, "a.b":[{"c":true}]}');
    assert.equal(verdict?.accepted?.attested.statement, text);
    assert.equal(verdict?.accepted?.identity, repository);
  });
});

describe('a list that fails is an error, and not an empty one:', () => {
  for (const [code, status] of [
    ['TOOMANYREQUESTS', 429],
    ['UNKNOWN', 500],
  ] as const) {
    for (const where of ['referrers', 'tag'] as const) {
      it(`${status} of ${where === 'tag' ? 'the tag' : 'the list of referrers'}`, async () => {
        const place = await SignedPlace.create();
        await place.tag(await place.layer(json(place.claims())));
        await place.attested(place.enveloped());
        await place.bundle(place.enveloped());
        const failure = new OciError(code, 'no list now', { status });
        const registry: Registry = Object.create(place.registry, {
          ...(where === 'referrers' && {
            referrers: {
              // biome-ignore lint/correctness/useYield: it fails before the first entry.
              value: async function* () {
                throw failure;
              },
            },
          }),
          ...(where === 'tag' && {
            getManifest: {
              value: async (repo: typeof app, reference: typeof place.image.descriptor.digest) => {
                if (/\.(?:sig|att)$/.test(reference)) throw failure;
                return place.registry.getManifest(repo, reference);
              },
            },
          }),
        });
        const isFailure = (error: unknown) => isOciError(error, code);
        await assert.rejects(place.verify({}, registry), isFailure);
        await assert.rejects(place.verifyAttestations({}, {}, registry), isFailure);
      });
    }
  }
});
