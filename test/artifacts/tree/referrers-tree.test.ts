import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referrersTree, type TreeNode } from '../../../src/artifacts/tree/referrers-tree.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parsePlatform } from '../../../src/model/platform/platform.ts';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { all } from '../../contract/contract.ts';
import { fails, fakeRegistry } from '../../remote/fake-registry.ts';
import type { Answer } from '../../support/fake-server.ts';
import {
  type Built,
  buildArtifact,
  buildAttestation,
  buildImage,
  buildIndex,
  pushImage,
  rawManifest,
} from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { intercept } from '../../support/network/intercept.ts';
import { manifestsOnly } from '../../support/network/manifests-only.ts';

const repo = parseRepositoryName('team/app');

function tree(
  registry: Registry,
  { descriptor }: Built,
  options?: Parameters<typeof referrersTree>[2],
): Promise<readonly TreeNode[]> {
  return all(referrersTree({ registry, repo }, descriptor, options));
}

/** `kind subject>manifest@depth`, by names. */
function shape(nodes: readonly TreeNode[], named: Readonly<Record<string, Built>>): readonly string[] {
  const names = new Map(Object.entries(named).map(([name, { descriptor }]) => [descriptor.digest, name]));
  return nodes.map(
    ({ kind, subject, descriptor, depth, repeated }) =>
      `${kind} ${names.get(subject)}>${names.get(descriptor.digest)}@${depth}${repeated ? ' again' : ''}`,
  );
}

describe('the tree of what hangs on an image', () => {
  it('has referrers on all levels, those of children, tags named after digests, and attestations of BuildKit', async () => {
    const registry = memoryRegistry();
    const [amd64, arm64] = [await imageFor('linux/amd64'), await imageFor('linux/arm64')];
    const attestation = await buildAttestation(amd64);
    const index = await buildIndex([attestation, amd64, arm64]);
    const annotations = { 'org.example.by': 'us' };
    const sbom = await buildArtifact({ artifactType: 'a/sbom', subject: index.descriptor, annotations });
    const signature = await buildArtifact({
      artifactType: 'a/signature',
      subject: sbom.descriptor,
      typeInConfig: true,
    });
    const scan = await buildArtifact({ artifactType: 'a/scan', subject: arm64.descriptor });
    const tagged = await buildArtifact({ artifactType: 'a/cosign' });
    for (const built of [index, sbom, signature, scan]) await pushImage(registry, repo, undefined, built);
    const [tag] = digestTagsOf(arm64.descriptor.digest);
    await pushImage(registry, repo, tag, tagged);

    const nodes = await tree(registry, index);
    assert.deepEqual(shape(nodes, { index, amd64, arm64, attestation, sbom, signature, scan, tagged }), [
      'referrer index>sbom@1',
      'child index>amd64@0',
      'child index>arm64@0',
      'attestation amd64>attestation@1',
      'referrer sbom>signature@2',
      'referrer arm64>scan@1',
      'digest-tag arm64>tagged@1',
    ]);
    const [first, second, , fourth, fifth, , last] = nodes;
    assert.deepEqual(first?.annotations, annotations);
    assert.deepEqual(first?.descriptor, sbom.descriptor);
    assert.deepEqual(second?.descriptor.platform, parsePlatform('linux/amd64'));
    assert.equal(fourth?.artifactType, mediaTypes.ociConfig);
    assert.deepEqual(
      [first?.artifactType, fifth?.artifactType, last?.artifactType],
      ['a/sbom', 'a/signature', 'a/cosign'],
    );
    assert.equal(last?.tag, tag);
    assert.deepEqual(shape(await tree(registry, index, { depth: 1 }), {}).length, 6);
    assert.deepEqual(await tree(registry, arm64, { depth: 1 }).then((found) => found.map(({ kind }) => kind)), [
      'referrer',
      'digest-tag',
    ]);
  });

  it('names what an attestation states', async () => {
    const registry = memoryRegistry();
    const image = await imageFor('linux/amd64');
    const plain = await buildAttestation(image);
    const layers = [
      { ...plain.blobs[1]?.descriptor, annotations: { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' } },
    ];
    const manifest = rawManifest(mediaTypes.ociManifest, { config: plain.blobs[0]?.descriptor, layers });
    const stored = await pushImage(registry, repo, undefined, { ...plain, manifest });
    const attestation = { ...plain, manifest, descriptor: { ...plain.descriptor, ...stored } };
    const index = await buildIndex([image, attestation]);
    await pushImage(registry, repo, undefined, index);
    const found = (await tree(registry, index)).find(({ kind }) => kind === 'attestation');
    assert.deepEqual(found?.predicateTypes, ['https://spdx.dev/Document']);
  });

  it('is cut where a manifest is met again', async () => {
    const registry = memoryRegistry();
    const image = await imageFor('linux/amd64');
    const one = await buildArtifact({ artifactType: 'a/one', subject: image.descriptor });
    for (const built of [image, one]) await pushImage(registry, repo, undefined, built);
    const [signature, attestation] = digestTagsOf(one.descriptor.digest);
    // A tag of the referrer that holds the image, and one that holds the referrer itself.
    await registry.pushManifest(repo, image.manifest, { tags: signature ? [signature] : [] });
    await registry.pushManifest(repo, one.manifest, { tags: attestation ? [attestation] : [] });
    assert.deepEqual(shape(await tree(registry, image), { image, one }), [
      'referrer image>one@1',
      'digest-tag one>image@2 again',
    ]);
  });

  it('ends with an error where there is no end to it', async () => {
    const registry = memoryRegistry();
    const image = await imageFor('linux/amd64');
    await pushImage(registry, repo, undefined, image);
    let last: Built = image;
    for (let level = 1; level <= 33; level += 1) {
      last = await buildArtifact({ artifactType: 'a/level', subject: last.descriptor });
      await pushImage(registry, repo, undefined, last);
    }
    await assert.rejects(tree(registry, image), fails('TOO_LARGE', /has no end: more than 32 levels/));
    assert.equal((await tree(registry, image, { depth: 30 })).length, 30);
    await assert.rejects(tree(registry, image, { limit: 5 }), fails('TOO_LARGE', /more than 5 manifests/));
  });

  it('gives nodes before the next level is asked for, and stops with its reader', async () => {
    const memory = memoryRegistry();
    const image = await imageFor('linux/amd64');
    const one = await buildArtifact({ artifactType: 'a/one', subject: image.descriptor });
    for (const built of [image, one]) await pushImage(memory, repo, undefined, built);
    const asked: string[] = [];
    const registry = intercept(memory, {
      referrers: (next, ...args) => {
        asked.push(args[1]);
        return next(...args);
      },
    });
    for await (const node of referrersTree({ registry, repo }, image.descriptor)) {
      assert.equal(node.descriptor.digest, one.descriptor.digest);
      break;
    }
    assert.deepEqual(asked, [image.descriptor.digest]);
  });

  it('is the same in a place that keeps a part of an index', async () => {
    const registry = memoryRegistry({ sparseIndexes: true });
    const [amd64, arm64] = [await imageFor('linux/amd64'), await imageFor('linux/arm64')];
    const inner = await buildIndex([arm64]);
    const index = await buildIndex([amd64, inner]);
    await pushImage(registry, repo, undefined, index, { omit: [inner] });
    assert.deepEqual(shape(await tree(registry, index), { index, amd64, inner }), [
      'child index>amd64@0',
      'child index>inner@0',
    ]);
    await assert.rejects(tree(registry, inner), fails('MANIFEST_UNKNOWN'));
  });
});

describe('the tree at a registry without a referrers API', () => {
  it('has those entries of the fallback tag whose manifests name the image, by the types that these state', async (t) => {
    const image = await imageFor('linux/amd64');
    const [typed, untyped] = [
      await buildArtifact({ artifactType: 'a/typed', subject: image.descriptor, annotations: { k: 'v' } }),
      await buildArtifact({ artifactType: 'a/untyped', subject: image.descriptor }),
    ];
    const stranger = await buildArtifact({ artifactType: 'a/typed', subject: typed.descriptor });
    const gone = await buildArtifact({ artifactType: 'a/gone', subject: image.descriptor });
    const list = await buildIndex([
      { ...typed, descriptor: { ...typed.descriptor, artifactType: mediaTypes.ociEmpty } },
      ...[untyped, stranger, gone, image],
    ]);
    const { registry } = await fakeRegistry(
      t,
      manifestsOnly([image, typed, untyped, stranger], { [fallbackTag(image.descriptor.digest)]: list }),
    );
    const nodes = await tree(registry, image);
    assert.deepEqual(nodes.map(({ artifactType }) => artifactType).sort(), ['a/typed', 'a/untyped']);
    assert.deepEqual(nodes.find(({ artifactType }) => artifactType === 'a/typed')?.annotations, { k: 'v' });
    const { digest } = image.descriptor;
    const wanted: readonly Descriptor[] = await all(
      registry.referrers(repo, digest, { artifactType: 'a/typed', checked: true }),
    );
    assert.deepEqual(
      wanted.map((entry) => entry.digest),
      [typed.descriptor.digest],
    );
    assert.equal((await all(registry.referrers(repo, digest, { checked: true, limit: 1 }))).length, 1);
  });

  it('is empty where the tag holds the image itself, as GitLab shows it, or another index', async (t) => {
    const image = await imageFor('linux/amd64');
    const index = await buildIndex([image, await imageFor('linux/arm64')]);
    for (const at of [image, index]) {
      const tags = { [fallbackTag(image.descriptor.digest)]: at, [fallbackTag(index.descriptor.digest)]: index };
      const { registry } = await fakeRegistry(t, manifestsOnly([image, index], tags));
      assert.deepEqual(await tree(registry, image), []);
      const found = await tree(registry, index);
      assert.deepEqual(new Set(found.map(({ kind }) => kind)), new Set(['child']));
    }
  });

  it('is an error where a list cannot be read', async (t) => {
    const image = await imageFor('linux/amd64');
    for (const [status, code] of [
      [429, 'TOOMANYREQUESTS'],
      [500, 'UNAVAILABLE'],
      [401, 'DENIED'],
    ] as const) {
      for (const part of ['/referrers/', `/manifests/${fallbackTag(image.descriptor.digest)}`, '.sig']) {
        const rest = manifestsOnly([image], {});
        const answer: Answer = (request, ...args) =>
          request.path.endsWith(part) || (part === '/referrers/' && request.path.includes(part))
            ? args[0].writeHead(status).end()
            : rest(request, ...args);
        const { registry } = await fakeRegistry(t, answer, { attempts: 2 });
        await assert.rejects(tree(registry, image), fails(code));
      }
    }
  });
});

function imageFor(platform: string): Promise<Built> {
  return buildImage({ platform: parsePlatform(platform), layers: [{ files: { platform } }] });
}
