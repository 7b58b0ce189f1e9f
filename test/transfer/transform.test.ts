import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isOciError } from '../../src/model/errors.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { bytesSource, readContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { SourceBlob, TransferOptions, Transform } from '../../src/transfer/options.ts';
import { type Transfer, transfer } from '../../src/transfer/transfer.ts';
import { all, blobOf, read } from '../contract/contract.ts';
import { type Built, buildArtifact, buildAttestation, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('v1');

/** Decompresses layers, and records the kind of every blob. */
function unpacking(seen: string[] = []): Transform {
  return {
    async blob({ descriptor, kind, source }: SourceBlob) {
      seen.push(kind);
      if (descriptor.mediaType !== mediaTypes.ociLayerGzip) return undefined;
      const bytes = gunzipSync(await readContent(await source.open(0), 1024 * 1024));
      const plain = { ...(await blobOf(bytes)), mediaType: mediaTypes.ociLayer };
      return { descriptor: plain, source: bytesSource(plain, bytes) };
    },
  };
}

async function sourceWith(...built: readonly Built[]): Promise<Registry> {
  const registry = memoryRegistry();
  for (const [i, one] of built.entries()) await pushImage(registry, repo, i === 0 ? tag : undefined, one);
  return registry;
}

function start(source: Registry, target: Registry, options: Partial<TransferOptions>): Transfer {
  const from = { registry: source, repo, reference: tag };
  return transfer({ from, to: { registry: target, repo, tags: [tag] }, ...options });
}

const image = (name: string): Promise<Built> =>
  buildImage({
    platform: parsePlatform(`linux/${name}`),
    layers: [{ files: { shared: 'same' } }, { files: { name } }],
  });

describe('a transfer that changes blobs', () => {
  it('pushes what they become, and a manifest that names it, under the tag', async () => {
    const built = await image('amd64');
    const target = memoryRegistry();
    const seen: string[] = [];
    const result = await start(await sourceWith(built), target, { transform: unpacking(seen) }).result;
    assert.deepEqual(seen, ['layer', 'layer', 'config']);
    const { descriptor, view } = await target.getManifest(repo, tag);
    assert.ok(view.kind === 'image');
    assert.notEqual(descriptor.digest, built.descriptor.digest);
    assert.deepEqual(result.root, descriptor);
    assert.deepEqual([...result.rewritten], [[built.descriptor.digest, descriptor]]);
    const config = JSON.parse((await read(await target.getBlob(repo, view.config))).toString());
    assert.deepEqual(
      view.layers.map(({ mediaType, digest }) => [mediaType, digest]),
      config.rootfs.diff_ids.map((id: string) => [mediaTypes.ociLayer, id]),
    );
    for (const layer of view.layers) assert.equal((await read(await target.getBlob(repo, layer))).length, layer.size);
  });

  it('rewrites indexes, attestations and subjects, from one server to another', async (t) => {
    const images = await Promise.all([image('amd64'), image('arm64')]);
    const [first] = images as [Built, Built];
    const index = await buildIndex([...images, await buildAttestation(first)]);
    const signature = await buildArtifact({ artifactType: 'a/signature', subject: index.descriptor });
    const { url } = await startServe(t, { registry: await sourceWith(index, signature) });
    const target = openRemote(t, (await startServe(t)).url);
    const result = await start(openRemote(t, url), target, { transform: unpacking(), referrers: true }).result;
    const { descriptor, view } = await target.getManifest(repo, tag);
    assert.ok(view.kind === 'index');
    assert.equal(descriptor.digest, result.root.digest);
    const [one, two, attestation] = view.manifests;
    assert.equal(one?.digest, result.rewritten.get(first.descriptor.digest)?.digest);
    assert.equal(one?.platform?.architecture, 'amd64');
    assert.equal(two?.platform?.architecture, 'arm64');
    assert.equal(attestation?.annotations?.['vnd.docker.reference.digest'], one?.digest);
    const [entry] = await all(target.referrers(repo, descriptor.digest));
    assert.equal(entry?.digest, result.rewritten.get(signature.descriptor.digest)?.digest);
    const again = await start(openRemote(t, url), target, { transform: unpacking(), referrers: true }).result;
    assert.equal(again.changed, false);
  });

  it('lets a manifest be changed whole, and leaves alone what is not', async () => {
    const built = await image('amd64');
    const target = memoryRegistry();
    const docker = {
      manifest: async ({ bytes }: { readonly bytes: Uint8Array }) => ({
        mediaType: mediaTypes.dockerManifest,
        bytes: Buffer.from(
          JSON.stringify({ ...JSON.parse(Buffer.from(bytes).toString()), mediaType: mediaTypes.dockerManifest }),
        ),
      }),
    };
    const source = await sourceWith(built);
    const result = await start(source, target, { transform: docker }).result;
    assert.equal((await target.getManifest(repo, tag)).mediaType, mediaTypes.dockerManifest);
    assert.deepEqual([...result.rewritten.keys()], [built.descriptor.digest]);
    const same = await start(source, memoryRegistry(), { transform: {} }).result;
    assert.equal(same.root.digest, built.descriptor.digest);
    assert.equal(same.rewritten.size, 0);
  });

  it('names nodes as the source has them', async () => {
    const built = await image('amd64');
    const running = start(await sourceWith(built), memoryRegistry(), { transform: unpacking() });
    const of = { discovered: new Set<string>(), done: new Set<string>() };
    for await (const event of running.events) {
      if (event.type === 'discovered' || event.type === 'done') of[event.type].add(event.node.digest);
    }
    assert.deepEqual(of.done, of.discovered);
    assert.ok(of.done.has(built.descriptor.digest));
  });

  it('shows all manifests before it changes anything, children first', async () => {
    const built = await image('amd64');
    const index = await buildIndex([built]);
    const seen: string[] = [];
    const showing: Transform = {
      ...unpacking(seen),
      async examine(manifests) {
        seen.push(...manifests.map(({ descriptor }) => descriptor.digest));
      },
    };
    const source = await sourceWith(index);
    await start(source, memoryRegistry(), { transform: showing }).result;
    assert.deepEqual(seen, [built.descriptor.digest, index.descriptor.digest, 'layer', 'layer', 'config']);
    const refusing: Transform = { ...unpacking(seen), examine: () => Promise.reject(new Error('not this one')) };
    await assert.rejects(start(source, memoryRegistry(), { transform: refusing }).result, /not this one/);
    assert.equal(seen.length, 5);
  });

  it('removes the annotations of an entry if those of its replacement are empty', async () => {
    const [layer] = (await image('amd64')).blobs.slice(1);
    assert.ok(layer);
    const annotated = { ...layer, descriptor: { ...layer.descriptor, annotations: { old: 'bytes' } } };
    const built = await buildImage({ layers: [{ ...annotated, diffId: layer.descriptor.digest }] });
    const target = memoryRegistry();
    const transform: Transform = {
      async blob({ descriptor, kind, source }) {
        return kind === 'layer'
          ? { descriptor: { ...descriptor, size: descriptor.size, annotations: {} }, source }
          : undefined;
      },
    };
    await start(await sourceWith(built), target, { transform }).result;
    const { bytes } = await target.getManifest(repo, tag);
    assert.doesNotMatch(Buffer.from(bytes).toString(), /annotations/);
  });

  it('stops at what the transform throws, with nothing under the tag', async () => {
    const target = memoryRegistry();
    const failing: Transform = { blob: () => Promise.reject(new Error('no room')) };
    await assert.rejects(
      start(await sourceWith(await image('amd64')), target, { transform: failing }).result,
      /no room/,
    );
    await assert.rejects(target.statManifest(repo, tag), (error) =>
      isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'),
    );
  });
});
