/** What a look at an image costs at most, whatever a registry holds or says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { readManifest } from '../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { digestTag } from '../../src/model/reference/digest-tag.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { envelopeType } from '../../src/trust/formats/dsse.ts';
import { keyAuthority } from '../../src/trust/verify/key-authority.ts';
import { judgeAttestations, judgeSignatures } from '../../src/trust/verify/verify.ts';
import { app } from '../commands/copy/places.ts';
import { json, repository, SignedPlace } from './support/signing.ts';

/** A registry that counts which blobs are read. */
function counting(registry: Registry): { readonly registry: Registry; readonly reads: string[] } {
  const reads: string[] = [];
  const getBlob: Registry['getBlob'] = async (repo, blob, opts) => {
    reads.push(typeof blob === 'string' ? blob : blob.digest);
    return registry.getBlob(repo, blob, opts);
  };
  return { registry: Object.create(registry, { getBlob: { value: getBlob } }), reads };
}

describe('a look at what is said of an image', () => {
  it('ends before it reads attestations of more than 256 MiB in all, also if nothing of them is there', async () => {
    const place = await SignedPlace.create();
    const real = await place.blob(envelopeType, json(place.enveloped()));
    const huge = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map(async (text) => ({
        mediaType: envelopeType,
        digest: await digestBytes(Buffer.from(text)),
        size: 64 * 1024 * 1024,
      })),
    );
    const config = await place.blob(mediaTypes.ociConfig, json({}));
    const mediaType = mediaTypes.ociManifest;
    const bytes = json({ schemaVersion: 2, mediaType, config, layers: [real, ...huge] });
    const lies = await readManifest({ mediaType, bytes });
    const { registry, reads } = counting(place.registry);
    const tag = digestTag(place.image.descriptor.digest, 'att');
    const getManifest: Registry['getManifest'] = async (repo, reference, opts) =>
      reference === tag ? lies : place.registry.getManifest(repo, reference, opts);
    const lying: Registry = Object.create(registry, { getManifest: { value: getManifest } });
    const refused = { code: 'TOO_LARGE', message: /more than 268435456 bytes/ };
    await assert.rejects(place.verifyAttestations({}, {}, lying), refused);
    assert.ok(!reads.includes(huge[4]?.digest ?? ''));
  });

  const rules = (place: SignedPlace) => ({
    authorities: [keyAuthority('owner.pub', place.owner.publicKey)],
    reference: 'any' as const,
    name: { repository, exact: `${repository}:1` },
    annotations: {},
  });

  it('counts bundles and layers together', async () => {
    const place = await SignedPlace.create();
    await place.attested(place.enveloped());
    await place.bundle(place.enveloped());
    const request = { registry: place.registry, repo: app, digest: place.image.descriptor.digest };
    const attested = { ...request, rules: { ...rules(place), attested: {} } };
    const verdicts = await judgeAttestations(attested);
    assert.equal(verdicts.filter(({ accepted }) => accepted).length, 2);
    const one = JSON.stringify(place.enveloped()).length;
    await assert.rejects(judgeAttestations(attested, { bytes: one + 10 }), { code: 'TOO_LARGE' });
  });

  it('ends where a registry never ends', async () => {
    const place = await SignedPlace.create();
    await place.tag(await place.layer(json(place.claims())));
    const getBlob: Registry['getBlob'] = (_repo, _blob, opts) =>
      new Promise((_, reject) => {
        opts?.signal?.addEventListener('abort', () => reject(opts.signal?.reason));
      });
    const registry: Registry = Object.create(place.registry, { getBlob: { value: getBlob } });
    const request = { registry, repo: app, digest: place.image.descriptor.digest, rules: rules(place) };
    await assert.rejects(judgeSignatures(request, { ms: 20 }), { code: 'TIMEOUT', message: /within 0\.02 seconds/ });
  });
});
