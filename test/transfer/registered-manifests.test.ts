import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, digestBytes } from '../../src/model/digest.ts';
import { parseJsonObject } from '../../src/model/json-fields.ts';
import { parseDescriptor } from '../../src/model/manifest/descriptor.ts';
import { parseManifest, type RawManifest } from '../../src/model/manifest/manifest.ts';
import { registerManifestSchema } from '../../src/model/manifest/manifest-schemas.ts';
import { manifestAcceptHeader, manifestMediaTypes, mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { garbageCollector } from '../../src/registry/extensions.ts';
import { repository } from '../../src/registry/repository.ts';
import { openRemote } from '../../src/remote/open.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { failsWith } from '../contract/contract.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { startServe } from '../support/registries.ts';
import { atEnd } from '../support/sandbox.ts';

const bundleType = 'application/vnd.example.bundle.v1+json';
const strangeType = 'application/vnd.example.strange.v1+json';
const repo = parseRepositoryName('team/bundle');
const tag = parseTag('1');

// A manifest type of this test: one invoice and several images. Without its schema, its `config` would make it an image.
registerManifestSchema(bundleType, (bytes) => {
  const { config, images } = parseJsonObject(bytes);
  return {
    blobs: [parseDescriptor(config, 'config')],
    manifests: (Array.isArray(images) ? images : []).map((image, i) => parseDescriptor(image, `images[${i}]`)),
  };
});

async function makeBundle() {
  const registry = memoryRegistry();
  const config = await repository(registry, repo).blobs.put(Buffer.from('the invoice'));
  const image = await buildImage({ layers: [] });
  await pushImage(registry, repo, undefined, image);
  const { mediaType, digest, size } = image.descriptor;
  const manifest: RawManifest = {
    mediaType: bundleType,
    bytes: Buffer.from(JSON.stringify({ config, images: [{ mediaType, digest, size }] })),
  };
  return { registry, manifest, config, image, digest: await digestBytes(manifest.bytes) };
}

async function holds(registry: ReturnType<typeof memoryRegistry>, blob: Digest): Promise<boolean> {
  return await registry.statBlob(repo, blob).then(
    () => true,
    () => false,
  );
}

describe('a registered type of manifest', () => {
  it('is asked for, after the types that everybody has', () => {
    assert.equal(manifestMediaTypes().at(-1), bundleType);
    assert.ok(manifestAcceptHeader().endsWith(`, ${bundleType}`));
    assert.ok(manifestMediaTypes().includes(mediaTypes.ociIndex));
  });

  it('is pushed when what it names is there, and not before', async () => {
    const { registry, manifest } = await makeBundle();
    await assert.rejects(memoryRegistry().pushManifest(repo, manifest), failsWith('MANIFEST_BLOB_UNKNOWN'));
    assert.equal((await registry.pushManifest(repo, manifest, { tags: [tag] })).mediaType, bundleType);
  });

  it('is copied with all that it names, over HTTP too', async (t) => {
    const { registry, manifest, config, image, digest } = await makeBundle();
    await registry.pushManifest(repo, manifest, { tags: [tag] });
    const { url } = await startServe(t, { registry });
    const source = openRemote({ url });
    atEnd(t, () => source.close());
    const target = memoryRegistry();
    const { root } = await transfer({
      from: { registry: source, repo, reference: tag },
      to: { registry: target, repo, tags: [tag] },
    }).result;
    assert.deepEqual([root.digest, root.mediaType], [digest, bundleType]);
    assert.equal(await holds(target, config.digest), true);
    assert.equal((await target.statManifest(repo, image.descriptor.digest)).digest, image.descriptor.digest);
  });

  it('keeps what it names from garbage collection, and nothing else', async () => {
    const { registry, manifest, config } = await makeBundle();
    await registry.pushManifest(repo, manifest, { tags: [tag] });
    const stray = await repository(registry, repo).blobs.put(Buffer.from('of no use'));
    await registry.extension(garbageCollector)?.collect({ graceMs: 0 });
    assert.deepEqual([await holds(registry, config.digest), await holds(registry, stray.digest)], [true, false]);
  });

  it('is refused when its reader finds a fault', () => {
    const bytes = Buffer.from('{"config":{"size":-1}}');
    assert.throws(() => parseManifest({ mediaType: bundleType, bytes }), failsWith('MANIFEST_INVALID'));
  });

  it('is refused for a document that names another type itself, as for types that everybody has', async () => {
    const { registry, manifest } = await makeBundle();
    const fields = JSON.parse(Buffer.from(manifest.bytes).toString()) as object;
    const typed = (mediaType: string): RawManifest => ({
      mediaType: bundleType,
      bytes: Buffer.from(JSON.stringify({ mediaType, ...fields })),
    });
    await registry.pushManifest(repo, typed(bundleType));
    await assert.rejects(registry.pushManifest(repo, typed(mediaTypes.ociManifest)), failsWith('MANIFEST_INVALID'));
  });
});

describe('a type of manifest that nobody registered', () => {
  it('passes through as it is', async () => {
    const registry = memoryRegistry();
    const bytes = Buffer.from('no JSON at all');
    await registry.pushManifest(repo, { mediaType: strangeType, bytes }, { tags: [tag] });
    const target = memoryRegistry();
    const from = { registry, repo, reference: tag };
    await transfer({ from, to: { registry: target, repo, tags: [tag] } }).result;
    const { mediaType, bytes: copied, view } = await target.getManifest(repo, tag);
    assert.deepEqual([mediaType, Buffer.from(copied)], [strangeType, bytes]);
    assert.deepEqual(view, { kind: 'other', annotations: {} });
  });
});

describe('registering a type', () => {
  it('is refused for what is known, and for what is no type', () => {
    for (const type of [bundleType, mediaTypes.ociManifest, mediaTypes.dockerSchema1, 'text', '', 'a/b\nc']) {
      assert.throws(() => registerManifestSchema(type, () => ({})), failsWith('USAGE'), type);
    }
  });
});
