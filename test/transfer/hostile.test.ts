import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listImages } from '../../src/local-store/list.ts';
import { digestBytes } from '../../src/model/digest.ts';
import { isOciError } from '../../src/model/errors.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { bytesSource } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { type Built, buildImage, buildIndex, pushImage, rawManifest } from '../support/images.ts';
import { buildBlob } from '../support/layer.ts';
import { memoryRegistry } from '../support/memory.ts';

const repo = parseRepositoryName('docker.io/library/app');
const tag = parseTag('1');

async function serving(built: Built): Promise<Registry> {
  const registry = memoryRegistry({ sparseIndexes: true });
  await pushImage(registry, repo, tag, built);
  return registry;
}

function pull(from: Registry, to: Registry, platform?: string): Promise<unknown> {
  return transfer({
    from: { registry: from, repo, reference: tag },
    to: { registry: to, repo, tags: [tag], sparse: true },
    ...(platform !== undefined && { platforms: [parsePlatform(platform)] }),
  }).result;
}

/** Indexes that each name the next one ten times: 10^12 paths to the one image. */
async function nested(): Promise<Built> {
  let inner: Built = await buildImage({ layers: [{ files: { a: 'a' } }] });
  for (let level = 0; level < 12; level += 1) {
    const { platform, ...descriptor } = inner.descriptor;
    const entry = { ...inner, descriptor: level === 0 && platform ? { ...descriptor, platform } : descriptor };
    inner = { ...(await buildIndex(Array.from({ length: 10 }, () => entry))), children: [entry] };
  }
  return inner;
}

describe('indexes that name each other many times over', { timeout: 20_000 }, () => {
  it('are searched once each', async () => {
    const source = await serving(await nested());
    await assert.rejects(pull(source, memoryRegistry({ sparseIndexes: true }), 'linux/s390x'), (error) =>
      isOciError(error, 'PLATFORM_UNKNOWN'),
    );
  });

  it('are listed once each', async () => {
    const store = memoryRegistry({ sparseIndexes: true });
    await pull(await serving(await nested()), store);
    const images = [];
    for await (const image of listImages(store)) images.push(image);
    assert.equal(images.length, 1);
  });
});

describe('an entry of an index', () => {
  it('must be of the type that the index says', async () => {
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    const lying = { ...image, descriptor: { ...image.descriptor, mediaType: mediaTypes.ociArtifact } };
    const source = await serving(await buildIndex([lying]));
    await assert.rejects(pull(source, memoryRegistry({ sparseIndexes: true })), (error) =>
      isOciError(error, 'MANIFEST_INVALID'),
    );
  });
});

describe('a config', () => {
  it('with a date that is none leaves the image without a date', async () => {
    const config = await buildBlob('{"created":"garbage","os":"linux","architecture":"amd64"}', mediaTypes.ociConfig);
    const manifest = rawManifest(mediaTypes.ociManifest, { config: config.descriptor, layers: [] });
    const descriptor = { mediaType: manifest.mediaType, digest: await digestBytes(manifest.bytes), size: 1 };
    const store = await serving({ manifest, descriptor, blobs: [config], children: [] });
    for await (const image of listImages(store)) assert.equal(image.created, undefined);
  });

  it('whose inline copy is another one is read from its blob', async () => {
    const config = await buildBlob('{"os":"linux"}', mediaTypes.ociConfig);
    const store = memoryRegistry();
    await store.pushBlob(repo, config.descriptor, bytesSource(config.descriptor, Buffer.from('{"os":"linux"}')));
    const data = Buffer.from('{"os":"LINUX"}').toString('base64');
    const content = await store.getBlob(repo, { ...config.descriptor, data });
    const chunks = [];
    for await (const chunk of content) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), '{"os":"linux"}');
  });
});
