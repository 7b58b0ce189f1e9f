import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError, OciError } from '../../src/model/errors.ts';
import type { TransferEvent } from '../../src/model/events.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createMemoryDriver } from '../../src/storage/drivers/memory.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { type Transfer, type TransferOptions, transfer } from '../../src/transfer/transfer.ts';
import { type Built, buildAttestation, buildImage, buildIndex, pushImage, rawManifest } from '../support/images.ts';
import { intercept } from '../support/network/intercept.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('v1');
const amd64 = parsePlatform('linux/amd64');
const arm64 = parsePlatform('linux/arm64');

const memory = (): Registry => createStorage({ driver: createMemoryDriver(), sparseIndexes: true });

async function registryWith(built: Built): Promise<Registry> {
  const registry = memory();
  await pushImage(registry, repo, tag, built);
  return registry;
}

function start(from: Registry, to: Registry, options: Partial<TransferOptions> = {}): Transfer {
  return transfer({
    from: { registry: from, repo, reference: tag },
    to: { registry: to, repo, tags: [tag], sparse: true },
    ...options,
  });
}

async function eventsOf({ events }: Transfer): Promise<TransferEvent[]> {
  const all: TransferEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const image = (platform = amd64, seed = ''): Promise<Built> =>
  buildImage({ platform, layers: ['a', 'b', 'c'].map((name) => ({ files: { [name]: `${name}${seed}` } })) });

async function twoPlatforms(): Promise<{ index: Built; images: Built[]; attestation: Built }> {
  const images = await Promise.all([image(amd64, 'x86'), image(arm64, 'arm')]);
  const attestation = await buildAttestation(images[0] as Built);
  return { index: await buildIndex([...images, attestation]), images, attestation };
}

describe('a transfer of an image', () => {
  it('brings the exact manifest, config and layers, and tags it', async () => {
    const built = await image();
    const target = memory();
    const result = await start(await registryWith(built), target).result;
    assert.equal(result.root.digest, built.descriptor.digest);
    assert.equal(result.changed, true);
    assert.deepEqual((await target.getManifest(repo, tag)).bytes, built.manifest.bytes);
    for (const { descriptor } of built.blobs) {
      assert.equal((await target.statBlob(repo, descriptor.digest)).size, descriptor.size);
    }
    assert.equal(
      result.transferredBytes,
      built.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    );
  });

  it('pushes blobs before the manifest, which comes once with its tag', async () => {
    const order: string[] = [];
    const target = intercept(memory(), {
      pushBlob: (next, ...args) => {
        order.push('blob');
        return next(...args);
      },
      pushManifest: (next, ...args) => {
        order.push(`manifest ${args[2]?.tags}`);
        return next(...args);
      },
    });
    await start(await registryWith(await image()), target).result;
    assert.deepEqual(order, ['blob', 'blob', 'blob', 'blob', 'manifest v1']);
  });

  it('moves nothing the second time and says that nothing changed', async () => {
    const source = await registryWith(await image());
    const target = memory();
    await start(source, target).result;
    const again = start(intercept(source, { getBlob: () => assert.fail('a blob was read') }), target);
    assert.deepEqual(
      (await eventsOf(again)).map(({ type }) => type),
      ['images', 'resolved', 'discovered', 'images', 'done', 'images'],
    );
    assert.equal((await again.result).changed, false);
  });

  it('says that it changed when only the tag is new', async () => {
    const source = await registryWith(await image());
    const target = memory();
    await start(source, target).result;
    const other = start(source, target, { to: { registry: target, repo, tags: [parseTag('v2')], sparse: true } });
    assert.equal((await other.result).changed, true);
    assert.equal((await other.result).transferredBytes, 0);
  });

  it('reads a layer that stands twice in it once', async () => {
    const layer = { files: { same: 'same' } };
    const built = await buildImage({ layers: [layer, layer, { files: { other: 'other' } }] });
    const opened: string[] = [];
    const source = intercept(await registryWith(built), {
      getBlob: (next, ...args) => {
        opened.push(String(args[1]));
        return next(...args);
      },
    });
    await start(source, memory()).result;
    assert.equal(opened.length, 3);
  });

  it('stops the other blobs at the first failure, reports that one, and leaves no manifest', async () => {
    const built = await image();
    const target = memory();
    let calls = 0;
    const source = intercept(await registryWith(built), {
      getBlob: (next, ...args) => {
        calls += 1;
        if (calls === 2) throw new OciError('UNAVAILABLE', 'the second blob fails');
        return next(...args);
      },
    });
    await assert.rejects(start(source, target, { parallelBlobs: 1 }).result, /the second blob fails/);
    assert.equal(calls, 2);
    await assert.rejects(target.statManifest(repo, tag), (error) =>
      isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'),
    );
  });

  it('rejects with the reason of its signal', async () => {
    const interrupt = new AbortController();
    const reason = new OciError('CANCELLED', 'enough');
    const source = intercept(await registryWith(await image()), {
      getBlob: (next, ...args) => {
        interrupt.abort(reason);
        return next(...args);
      },
    });
    await assert.rejects(start(source, memory(), { signal: interrupt.signal }).result, (error) => error === reason);
  });

  it('goes on when nobody reads its events', async () => {
    const running = start(await registryWith(await image()), memory());
    await running.result;
    assert.ok((await eventsOf(running)).length > 0);
  });

  it('refuses schema 1 with what to do', async () => {
    const target = memory();
    const manifest = {
      mediaType: mediaTypes.dockerSchema1Signed,
      bytes: new TextEncoder().encode('{"schemaVersion":1}'),
    };
    const source = intercept(memory(), {
      statManifest: async () => ({
        mediaType: manifest.mediaType,
        digest: (await image()).descriptor.digest,
        size: 19,
      }),
      getManifest: async (_next, _repo, reference) => ({
        ...manifest,
        descriptor: { mediaType: manifest.mediaType, digest: reference as never, size: 19 },
        view: { kind: 'schema1', annotations: {} },
      }),
    });
    await assert.rejects(start(source, target).result, /schema 1/);
  });

  it('leaves foreign layers out when asked to', async () => {
    const built = await buildImage({
      layers: [{ files: { a: 'a' } }, { files: { b: 'b' }, mediaType: mediaTypes.dockerForeignLayer }],
    });
    const running = start(await registryWith(built), memory(), { foreignLayers: 'skip' });
    const outcomes = (await eventsOf(running)).flatMap((event) => (event.type === 'done' ? [event.outcome] : []));
    assert.ok(outcomes.includes('foreign'));
    await running.result;
  });
});

describe('a transfer of an index', () => {
  it('brings all entries, attestations too, when no platform is asked for', async () => {
    const { index, images, attestation } = await twoPlatforms();
    const target = memory();
    await start(await registryWith(index), target).result;
    for (const { descriptor } of [...images, attestation]) await target.statManifest(repo, descriptor.digest);
  });

  it('stores the index whole and only the entry of the platform asked for', async () => {
    const { index, images, attestation } = await twoPlatforms();
    const target = memory();
    const result = await start(await registryWith(index), target, { platforms: [arm64] }).result;
    assert.equal((await target.statManifest(repo, tag)).digest, index.descriptor.digest);
    await target.statManifest(repo, (images[1] as Built).descriptor.digest);
    for (const absent of [images[0] as Built, attestation]) {
      await assert.rejects(target.statManifest(repo, absent.descriptor.digest), /./);
    }
    assert.equal(result.omitted.length, 2);
  });

  it('adds a platform to an index that is already there', async () => {
    const { index, images } = await twoPlatforms();
    const source = await registryWith(index);
    const target = memory();
    await start(source, target, { platforms: [arm64] }).result;
    const result = await start(source, target, { platforms: [arm64, amd64] }).result;
    assert.equal(result.changed, true);
    await target.statManifest(repo, (images[0] as Built).descriptor.digest);
  });

  it('finds a platform inside a nested index', async () => {
    const { index, images } = await twoPlatforms();
    const inner = await buildIndex(index.children);
    const { platform: _, ...descriptor } = inner.descriptor;
    const outer = await buildIndex([{ ...inner, descriptor }]);
    const target = memory();
    await start(await registryWith(outer), target, { platforms: [arm64] }).result;
    await target.statManifest(repo, (images[1] as Built).descriptor.digest);
    await assert.rejects(target.statManifest(repo, (images[0] as Built).descriptor.digest), /./);
  });

  it('says which platforms there are when none matches', async () => {
    const { index } = await twoPlatforms();
    const running = start(await registryWith(index), memory(), { platforms: [parsePlatform('linux/s390x')] });
    await assert.rejects(running.result, (error) => {
      assert.ok(isOciError(error, 'PLATFORM_UNKNOWN'));
      assert.equal(error.message, 'no matching manifest for linux/s390x in the manifest list entries');
      assert.match(error.hint ?? '', /linux\/amd64, linux\/arm64/);
      return true;
    });
  });

  it('holds a plain image to the platform that was named, and to none by default', async () => {
    const source = await registryWith(await image());
    await start(source, memory(), { platforms: [arm64] }).result;
    await assert.rejects(
      start(source, memory(), { platforms: [arm64], requirePlatform: true }).result,
      /for linux\/amd64 alone, not for linux\/arm64/,
    );
  });

  it('refuses indexes that are nested without end', async () => {
    const self = rawManifest(mediaTypes.ociIndex, { manifests: [] });
    let depth = 0;
    const source = intercept(memory(), {
      statManifest: async () => ({
        mediaType: mediaTypes.ociIndex,
        digest: (await image()).descriptor.digest,
        size: 1,
      }),
      getManifest: async (_next, _repo, reference) => {
        depth += 1;
        const digest = `sha256:${depth.toString(16).padStart(64, '0')}` as never;
        return {
          ...self,
          descriptor: { mediaType: self.mediaType, digest: reference as never, size: 1 },
          view: { kind: 'index', annotations: {}, manifests: [{ mediaType: mediaTypes.ociIndex, digest, size: 1 }] },
        };
      },
    });
    await assert.rejects(start(source, memory()).result, /nested too deeply/);
  });
});
