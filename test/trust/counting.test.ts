/** Signatures that count, as a check of the forged ones: those differ from these in one thing each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { manifestsBelow } from '../../src/registry/manifests-below.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { app, buildDemoIndex, one } from '../commands/copy/places.ts';
import { pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { json, SignedPlace } from './support/signing.ts';

describe('a signature counts', () => {
  it('under the tag, and in a bundle, among others that do not', async () => {
    const place = await SignedPlace.create();
    const payload = json(place.claims({}, { env: 'prod' }));
    const wrong = place.signature(payload, place.stranger.privateKey);
    await place.tag(await place.layer(payload, wrong), await place.layer(payload));
    await place.bundle(place.envelope(json(place.statement())));
    const verdicts = await place.verify();
    assert.equal(verdicts.length, 3);
    const accepted = verdicts.flatMap((one) => one.accepted ?? []);
    assert.deepEqual(
      accepted.map(({ signedBy, annotations }) => [signedBy.name, annotations]),
      [
        ['owner.pub', {}],
        ['owner.pub', { env: 'prod' }],
      ],
    );
  });

  it('whose referrer is listed with the type of its empty config, as cosign 2.6 lists it', async () => {
    const place = await SignedPlace.create();
    const bundle = await place.bundle(place.envelope(json(place.statement())));
    const registry: Registry = Object.create(place.registry, {
      referrers: {
        value: async function* () {
          yield { ...bundle, artifactType: mediaTypes.ociEmpty };
        },
      },
    });
    const [verdict] = await place.verify({}, registry);
    assert.ok(verdict?.accepted);
  });

  it('for its repository and its tag, where the rule asks for them', async () => {
    const place = await SignedPlace.create();
    const identity = { 'docker-reference': 'registry.example.com/team/app:1' };
    await place.tag(await place.layer(json(place.claims({ identity }))));
    for (const reference of ['any', 'repository', 'exact'] as const) {
      const [verdict] = await place.verify({ reference });
      assert.ok(verdict?.accepted, reference);
    }
  });
});

describe('what is read at once', () => {
  /** A registry that answers a call when as many are open as a test waits for: one after the other they would stay open. */
  const together = (registry: Registry, call: 'getBlob' | 'getManifest', count: number): Registry => {
    const waiting: (() => void)[] = [];
    const ask = registry[call] as (...args: unknown[]) => Promise<unknown>;
    const value = async (...args: unknown[]) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === count) for (const each of waiting) each();
      });
      return ask.apply(registry, args);
    };
    return Object.create(registry, { [call]: { value } });
  };

  it('are signatures under the tag', async () => {
    const place = await SignedPlace.create();
    const payloads = ['a', 'b', 'c'].map((env) => json(place.claims({}, { env })));
    await place.tag(...(await Promise.all(payloads.map((payload) => place.layer(payload)))));
    const verdicts = await place.verify({}, together(place.registry, 'getBlob', 3));
    assert.equal(verdicts.filter(({ accepted }) => accepted).length, 3);
  });

  it('are the images of an index, each once', async () => {
    const registry = memoryRegistry();
    const { index, amd64, arm64, riscv64, attestation } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const root = await registry.getManifest(app, one);
    const found = await manifestsBelow({ registry: together(registry, 'getManifest', 4), repo: app }, root, {
      most: 100,
    });
    const wanted = [index, amd64, arm64, riscv64, attestation].map(({ descriptor }) => descriptor.digest);
    assert.deepEqual([...found.keys()].sort(), wanted.sort());
  });
});
