import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isOciError } from '../../src/model/errors.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { GraphLimits } from '../../src/transfer/options.ts';
import { type TransferResult, transfer } from '../../src/transfer/transfer.ts';
import { buildImage, buildIndex, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const repo = parseRepositoryName('team/app');
const tag = parseTag('1');

async function source(): Promise<Registry> {
  const registry = memoryRegistry();
  const children = [
    await buildImage({
      platform: parsePlatform('linux/amd64'),
      layers: [{ files: { a: 'a' } }, { files: { b: 'b' } }],
    }),
    await buildImage({
      platform: parsePlatform('linux/arm64'),
      layers: [{ files: { c: 'c' } }, { files: { d: 'd' } }],
    }),
  ];
  await pushImage(registry, repo, tag, await buildIndex(children));
  return registry;
}

function copy(from: Registry, to: Registry, limits?: GraphLimits, parallelBlobs?: number): Promise<TransferResult> {
  return transfer({
    from: { registry: from, repo, reference: tag },
    to: { registry: to, repo, tags: [tag] },
    limits,
    parallelBlobs,
  }).result;
}

describe('the limits of a transfer', () => {
  it('hold for the bytes of all manifests', async () => {
    const from = await source();
    const tooLarge = (error: unknown): boolean =>
      isOciError(error, 'TOO_LARGE') && /more than 1000 bytes/.test(error.message);
    await assert.rejects(copy(from, memoryRegistry(), { manifestBytes: 1000 }), tooLarge);
    const to = memoryRegistry();
    assert.ok((await copy(from, to)).changed);
  });

  it('hold for manifests and blobs together', async () => {
    const from = await source();
    const tooMany = (error: unknown): boolean =>
      isOciError(error, 'TOO_LARGE') && /more than 4 manifests/.test(error.message);
    await assert.rejects(copy(from, memoryRegistry(), { nodes: 4 }), tooMany);
    await copy(from, memoryRegistry(), { nodes: 9 });
  });

  it('let go of a manifest when it was pushed', async () => {
    const from = await source();
    const to = memoryRegistry();
    const pushed: WeakRef<Uint8Array>[] = [];
    let held: boolean | undefined;
    const watching: Registry = {
      ...to,
      async pushManifest(name, raw, opts) {
        if (pushed.length > 0) {
          // A WeakRef can only become empty after a turn of the event loop.
          await new Promise((resolve) => setImmediate(resolve));
          collectGarbage();
          held = pushed[0]?.deref() !== undefined;
        }
        const descriptor = await to.pushManifest(name, { ...raw, bytes: raw.bytes.slice() }, opts);
        pushed.push(new WeakRef(raw.bytes));
        return descriptor;
      },
    };
    const reading: Registry = {
      ...from,
      async getManifest(...args) {
        const manifest = await from.getManifest(...args);
        return { ...manifest, bytes: manifest.bytes.slice() };
      },
    };
    await copy(reading, watching);
    assert.equal(pushed.length, 3);
    assert.equal(held, false);
  });
});

describe('numbers among the options of a transfer', () => {
  for (const wrong of [0, -1, Number.NaN]) {
    it(`are refused where they are ${wrong}, before anything is asked`, async () => {
      const refused = (error: unknown): boolean => isOciError(error, 'USAGE') && /parallelBlobs/.test(error.message);
      const none = new Proxy(memoryRegistry(), { get: () => assert.fail('asked') });
      await assert.rejects(copy(none, none, undefined, wrong), refused);
      await assert.rejects(copy(none, none, { nodes: wrong }), /the option nodes must be/);
      await assert.rejects(copy(none, none, { manifestBytes: wrong }), /the option manifestBytes must be/);
    });
  }

  it('may be Infinity', async () => {
    const from = await source();
    await copy(from, memoryRegistry(), { nodes: Infinity, manifestBytes: Infinity }, Infinity);
  });
});
