import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseTag } from '../../src/model/reference/reference.ts';
import { type BlobSource, bytesSource, streamContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { all, assertNoBlob, blobOf, check, pushBytes, read, type Suite, uniqueBytes } from './contract.ts';
import { configOnly } from './manifests.ts';

const tag = parseTag('latest');

export function signalContract(suite: Suite): void {
  check(suite, 'rejects every call whose signal has fired, with its reason', async ({ registry, repo }) => {
    const bytes = uniqueBytes(100);
    const { digest } = await pushBytes(registry, repo, bytes);
    const manifest = await configOnly(registry, repo);
    const pushed = await registry.pushManifest(repo, manifest, { tags: [tag] });
    const fresh = await blobOf(uniqueBytes(50));
    const reason = new Error('never mind');
    const signal = AbortSignal.abort(reason);
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      ping: () => registry.ping({ signal }),
      statBlob: () => registry.statBlob(repo, digest, { signal }),
      getBlob: async () => read(await registry.getBlob(repo, digest, { signal })),
      statManifest: () => registry.statManifest(repo, tag, { signal }),
      getManifest: () => registry.getManifest(repo, tag, { signal }),
      pushBlob: () => registry.pushBlob(repo, fresh, bytesSource(fresh, bytes), { signal }),
      startUpload: () => registry.startUpload(repo, { signal }),
      resumeUpload: () => registry.resumeUpload(repo, '00000000-0000-4000-8000-000000000000', { signal }),
      mountBlob: () => registry.mountBlob(repo, digest, { from: repo, signal }),
      pushManifest: () => registry.pushManifest(repo, manifest, { signal }),
      deleteBlob: () => registry.deleteBlob(repo, digest, { signal }),
      deleteManifest: () => registry.deleteManifest(repo, pushed.digest, { signal }),
      deleteTag: () => registry.deleteTag(repo, tag, { signal }),
      repositories: () => all(registry.repositories({ signal })),
      tags: () => all(registry.tags(repo, { signal })),
      referrers: () => all(registry.referrers(repo, digest, { signal })),
    };
    const wrong: string[] = [];
    for (const [name, call] of Object.entries(calls)) {
      const outcome = await call().then(
        () => 'resolved',
        (error: unknown) => (error === reason ? 'rejected' : String(error)),
      );
      if (outcome !== 'rejected') wrong.push(`${name} ${outcome}`);
    }
    assert.deepEqual(wrong, []);
    assert.equal((await registry.statManifest(repo, tag)).digest, pushed.digest);
    assert.equal((await registry.statBlob(repo, digest)).digest, digest);
  });

  check(suite, 'stops a push in the middle, and keeps nothing of it visible', async ({ registry, repo }) => {
    const bytes = uniqueBytes(600_000);
    const descriptor = await blobOf(bytes);
    const stop = new AbortController();
    const reason = new Error('stopped in the middle');
    // Stalls in the middle until it is aborted, as a body from the network does.
    const stalling = async function* (signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes.subarray(0, 300_000);
      setTimeout(() => stop.abort(reason), 20);
      await sleep(50_000, undefined, { signal, ref: false });
      yield bytes.subarray(300_000);
    };
    const source: BlobSource = { open: async (_, opts) => streamContent(descriptor, stalling(opts?.signal)) };
    const startedMs = performance.now();
    await assert.rejects(registry.pushBlob(repo, descriptor, source, { signal: stop.signal }), isExactly(reason));
    assert.ok(performance.now() - startedMs < 40_000, 'the push did not wait for its source');
    await assertNoBlob(registry, repo, descriptor.digest);
    await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes));
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'stops a read in the middle', async ({ registry, repo }) => {
    const { digest } = await pushBytes(registry, repo, uniqueBytes(3 * 1024 * 1024));
    await stopsReading(async (signal, onChunk) => {
      for await (const chunk of await registry.getBlob(repo, digest, { signal })) await onChunk(chunk);
    });
    await stopsReading(async (signal, write) => {
      await (await registry.getBlob(repo, digest, { signal })).drainTo({ write });
    });
    await stopsReading(async (signal, write) => {
      await (await registry.getBlob(repo, digest)).drainTo({ write }, { signal });
    });
    assert.equal((await read(await registry.getBlob(repo, digest))).length, 3 * 1024 * 1024);
  });

  check(suite, 'stops a session, which can be gone on with', async ({ registry, repo }) => {
    const bytes = uniqueBytes(1000);
    const { digest } = await blobOf(bytes);
    const writer = await registry.startUpload(repo);
    await writer.write(bytes.subarray(0, 400));
    const reason = new Error('not this one');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(writer.write(bytes.subarray(400), { signal }), isExactly(reason));
    await assert.rejects(writer.commit({ digest }, { signal }), isExactly(reason));
    await writer[Symbol.asyncDispose]();
    await using resumed = await registry.resumeUpload(repo, writer.id);
    assert.equal(resumed.size, 400);
    await resumed.write(bytes.subarray(400));
    await resumed.commit({ digest });
  });

  check(suite, 'stops a list between two entries', async ({ registry, repo }) => {
    const tags = Array.from({ length: 20 }, (_, i) => parseTag(`t${i}`));
    await registry.pushManifest(repo, await configOnly(registry, repo), { tags });
    const stop = new AbortController();
    const reason = new Error('enough');
    const loop = async (registry: Registry): Promise<void> => {
      for await (const _ of registry.tags(repo, { signal: stop.signal })) stop.abort(reason);
    };
    await assert.rejects(loop(registry), isExactly(reason));
  });
}

async function stopsReading(
  run: (signal: AbortSignal, onChunk: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const reason = new Error('read enough');
  let seenBytes = 0;
  const onChunk = async (chunk: Uint8Array): Promise<void> => {
    seenBytes += chunk.length;
    stop.abort(reason);
  };
  await assert.rejects(run(stop.signal, onChunk), isExactly(reason));
  assert.ok(seenBytes < 3 * 1024 * 1024, 'it did not read to the end');
}

function isExactly(reason: Error): (error: unknown) => boolean {
  return (error) => {
    assert.equal(error, reason);
    return true;
  };
}
