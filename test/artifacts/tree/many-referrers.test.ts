import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referrersTree, type TreeNode } from '../../../src/artifacts/tree/referrers-tree.ts';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { readContent } from '../../../src/registry/content.ts';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import { transfer } from '../../../src/transfer/transfer.ts';
import { all } from '../../contract/contract.ts';
import { fails, fakeRegistry } from '../../remote/fake-registry.ts';
import type { Answer } from '../../support/fake-server.ts';
import { type Built, buildArtifact, buildImage, buildIndex } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { manifestsOnly } from '../../support/network/manifests-only.ts';

const repo = parseRepositoryName('team/app');
const count = 40;

/** An image with many referrers; one of them is signed by a tag, and another one by a referrer. */
async function manyReferrers() {
  const image = await buildImage({ layers: [] });
  const referrers: Built[] = [];
  for (let i = 0; i < count; i += 1) {
    const annotations = { n: String(i) };
    referrers.push(await buildArtifact({ artifactType: 'a/many', subject: image.descriptor, annotations }));
  }
  const [first, second] = referrers;
  assert.ok(first && second);
  const signature = await buildArtifact({ artifactType: 'a/signature', subject: first.descriptor });
  const [tag = ''] = digestTagsOf(second.descriptor.digest);
  const cosign = await buildArtifact({ artifactType: 'a/cosign' });
  const tags = {
    1: image,
    [tag]: cosign,
    [fallbackTag(image.descriptor.digest)]: await buildIndex(referrers),
    [fallbackTag(first.descriptor.digest)]: await buildIndex([signature]),
  };
  const manifests = [image, ...referrers, signature, cosign];
  const blobs = new Map(manifests.flatMap((each) => each.blobs).map((blob) => [blob.descriptor.digest, blob]));
  return { image, tags, answer: manifestsOnly(manifests, tags), blobs };
}

type Listing = 'whole' | 'partial' | 'refused' | 'long';

/** A registry without the referrers API that lists tags, and how often what was asked for. */
async function serveThem(t: Parameters<typeof fakeRegistry>[0], listing: Listing = 'whole') {
  const given = await manyReferrers();
  const listed = {
    whole: Object.keys(given.tags),
    partial: ['1'],
    refused: [],
    long: Array.from({ length: 9000 }, (_, i) => `v${i}`),
  }[listing];
  const asked = { lists: 0, api: 0, manifests: 0, tags: 0, blobs: 0 };
  const answer: Answer = (request, response, ...rest) => {
    const { path } = request;
    if (path.includes('/tags/list')) {
      asked.lists += 1;
      if (listing === 'refused') return response.writeHead(403).end();
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ tags: listed }));
    }
    const blob = /\/blobs\/(.+)$/.exec(path)?.[1];
    if (blob !== undefined) {
      asked.blobs += 1;
      const found = [...given.blobs.values()].find((each) => each.descriptor.digest === blob);
      const sending = async () =>
        response.writeHead(200).end(found && (await readContent(await found.source.open(0, {}), 1000)));
      return void sending();
    }
    asked[path.includes('/referrers/') ? 'api' : path.includes('/manifests/sha256:') ? 'manifests' : 'tags'] += 1;
    return given.answer(request, response, ...rest);
  };
  const { registry } = await fakeRegistry(t, answer);
  return { ...given, registry, asked };
}

function kinds(nodes: readonly TreeNode[]) {
  return nodes.map(({ kind, depth }) => `${kind}@${depth}`).filter((each, i, list) => list.indexOf(each) === i);
}

describe('the tree of an image with many referrers, without the referrers API', () => {
  it('takes a request for each, and one list of tags', async (t) => {
    const { registry, image, asked } = await serveThem(t);
    const nodes = await all(referrersTree({ registry, repo }, image.descriptor));
    assert.equal(nodes.length, count + 2);
    assert.deepEqual(kinds(nodes).sort(), ['digest-tag@2', 'referrer@1', 'referrer@2']);
    assert.equal(asked.lists, 1);
    assert.equal(asked.manifests, count + 2, 'the referrers, the signature and what the tag holds');
    assert.ok(asked.tags <= 12, `${asked.tags} requests for tags`);
    assert.ok(asked.api <= 12, `the API was asked ${asked.api} times, which is not there`);
  });

  it('is the same where the list of tags cannot be used', async (t) => {
    for (const listing of ['partial', 'refused', 'long'] as const) {
      const { registry, image, asked } = await serveThem(t, listing);
      const nodes = await all(referrersTree({ registry, repo }, image.descriptor));
      assert.deepEqual([nodes.length, kinds(nodes).length], [count + 2, 3], listing);
      assert.ok(asked.tags >= 4 * count, listing);
    }
  });

  it('lists no tags for a few', async (t) => {
    const image = await buildImage({ layers: [] });
    const few = [await buildArtifact({ artifactType: 'a/few', subject: image.descriptor })];
    const paths: string[] = [];
    const answer = manifestsOnly([image, ...few], { [fallbackTag(image.descriptor.digest)]: await buildIndex(few) });
    const { registry } = await fakeRegistry(t, (request, ...rest) => {
      paths.push(request.path);
      return answer(request, ...rest);
    });
    assert.equal((await all(referrersTree({ registry, repo }, image.descriptor))).length, 1);
    assert.deepEqual(
      paths.filter((path) => path.includes('/tags/')),
      [],
    );
  });

  it('fails where the requests for tags are throttled, like the list of tags', async (t) => {
    const { answer, image } = await manyReferrers();
    let listed = 0;
    const { registry } = await fakeRegistry(
      t,
      (request, response, ...rest) => {
        if (request.path.includes('/tags/list')) listed += 1;
        const isOfTag = /\/tags\/list|\.(?:sig|att|sbom)$/.test(request.path);
        if (isOfTag && (listed > 0 || request.path.includes('/tags/'))) return response.writeHead(429).end();
        return answer(request, response, ...rest);
      },
      { attempts: 2 },
    );
    await assert.rejects(all(referrersTree({ registry, repo }, image.descriptor)), fails('TOOMANYREQUESTS'));
  });

  it('is copied with as few requests', async (t) => {
    const { registry, asked } = await serveThem(t);
    const to = memoryRegistry();
    const one = parseTag('1');
    const copied = transfer({
      from: { registry, repo, reference: one },
      to: { registry: to, repo, tags: [one] },
      referrers: true,
      digestTags: true,
    });
    const result = await copied.result;
    assert.equal(result.referrers.length, count + 1);
    assert.equal(result.digestTags.length, 1);
    assert.deepEqual([asked.lists, asked.tags <= 20, asked.api <= 20], [1, true, true], JSON.stringify(asked));
  });
});
