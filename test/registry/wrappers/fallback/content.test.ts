import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Content } from '../../../../src/registry/content.ts';
import { fallback } from '../../../../src/registry/wrappers/fallback/fallback.ts';
import { failsWith, read } from '../../../contract/contract.ts';
import { actor, failing, fill, latest, repo, watchFallbacks } from './endpoints.ts';

const bytes = randomBytes(1_000_000);

async function iterate(content: Content): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a blob', () => {
  it('is asked first of the endpoint that served the manifest', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    const blob = await fill(bytes, origin);
    const registry = fallback([mirror, origin]);
    await registry.getManifest(repo, latest);
    await read(await registry.getBlob(repo, blob));
    await registry.statBlob(repo, blob.digest);
    assert.deepEqual(mirror.asked, ['getManifest']);
    assert.deepEqual(origin.asked, ['getManifest', 'getBlob', 'statBlob']);
  });

  it('that the endpoint of the manifest lacks comes from another', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    const blob = await fill(bytes, mirror, origin);
    await mirror.registry.deleteBlob(repo, blob.digest);
    const registry = fallback([mirror, origin]);
    await registry.getManifest(repo, latest);
    assert.deepEqual(await read(await registry.getBlob(repo, blob)), bytes);
  });

  for (const [way, readAll] of [['drained', read] as const, ['iterated', iterate] as const]) {
    it(`that breaks in the middle goes on from the next endpoint when it is ${way}`, async () => {
      for (const afterBytes of [0, 1, 400_000, 999_999]) {
        const actors = [actor('one', 'mirror'), actor('two', 'mirror'), actor('origin', 'origin')] as const;
        const [one, two] = actors;
        const blob = await fill(bytes, ...actors);
        one.breaking = { afterBytes, error: failing('NETWORK') };
        two.breaking = { afterBytes: 0, error: failing('UNAVAILABLE', { status: 503 }) };
        const { events, onFallback } = watchFallbacks();
        const registry = fallback(actors, { onFallback });
        assert.deepEqual(await readAll(await registry.getBlob(repo, blob)), bytes);
        assert.deepEqual(events, ['one NETWORK -> two', 'two UNAVAILABLE -> origin']);
      }
    });

    it(`of which a part is wanted goes on to the end of the part when it is ${way}`, async () => {
      const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
      const blob = await fill(bytes, mirror, origin);
      mirror.breaking = { afterBytes: 500, error: failing('NETWORK') };
      const range = { start: 1000, end: 3000 };
      const content = await fallback([mirror, origin]).getBlob(repo, blob.digest, { range });
      assert.deepEqual(await readAll(content), bytes.subarray(1000, 3000));
    });

    it(`that breaks when all of it had come is whole when it is ${way}`, async () => {
      const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
      const blob = await fill(bytes, mirror, origin);
      mirror.breaking = { afterBytes: bytes.length, error: failing('NETWORK') };
      assert.deepEqual(await readAll(await fallback([mirror, origin]).getBlob(repo, blob)), bytes);
      assert.equal(origin.opened, 0);
    });

    it(`that breaks at the last endpoint fails with its error when it is ${way}`, async () => {
      const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
      const blob = await fill(bytes, mirror, origin);
      mirror.breaking = { afterBytes: 10, error: failing('NETWORK') };
      origin.breaking = { afterBytes: 10, error: failing('TIMEOUT') };
      const content = await fallback([mirror, origin]).getBlob(repo, blob);
      await assert.rejects(readAll(content), (error: Error) => {
        assert.match(error.message, /^mirror mirror failed \(NETWORK .*, and origin failed \(TIMEOUT/);
        return failsWith('TIMEOUT')(error);
      });
    });

    it(`that is wrong is an error, wherever its parts came from, when it is ${way}`, async () => {
      const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
      const blob = await fill(bytes, mirror, origin);
      const wrong = Buffer.from(bytes);
      wrong[5] = (wrong[5] ?? 0) ^ 1;
      mirror.breaking = { afterBytes: 400_000, error: failing('NETWORK') };
      const liar = {
        ...mirror,
        async open() {
          const registry = await mirror.open(() => {});
          return {
            ...mirror.registry,
            getBlob: async (...args: Parameters<typeof registry.getBlob>) => {
              const content = await registry.getBlob(...args);
              return { ...content, [Symbol.asyncIterator]: () => lying(content), drainTo: drainOf(lying(content)) };
            },
          };
        },
      };
      async function* lying(content: Content): AsyncGenerator<Uint8Array> {
        let at = 0;
        for await (const chunk of content) {
          yield wrong.subarray(at, at + chunk.length);
          at += chunk.length;
        }
      }
      const content = await fallback([liar, origin]).getBlob(repo, blob);
      await assert.rejects(readAll(content), failsWith('DIGEST_MISMATCH'));
    });
  }

  it('is not asked of another endpoint because the destination failed', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    const blob = await fill(bytes, mirror, origin);
    const content = await fallback([mirror, origin]).getBlob(repo, blob);
    const full = failing('STORAGE_FULL', { retryable: true });
    const drained = content.drainTo({
      write: async () => {
        throw full;
      },
    });
    await assert.rejects(drained, (error) => error === full);
    assert.equal(origin.opened, 0);
  });
});

function drainOf(chunks: AsyncGenerator<Uint8Array>): Content['drainTo'] {
  return async (sink) => {
    for await (const chunk of chunks) await sink.write(chunk);
  };
}
