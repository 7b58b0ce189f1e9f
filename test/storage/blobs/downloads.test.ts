import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, open, readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { newProcessId } from '../../../src/files/process-id.ts';
import { digestHex } from '../../../src/model/digest.ts';
import { OciError } from '../../../src/model/errors.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { type BlobSource, streamContent } from '../../../src/registry/content.ts';
import {
  blobFile,
  describeBytes,
  failsWith,
  filesBelow,
  madeBytes,
  meteredSource,
  openStore,
  otherRepo,
  readBlob,
  repo,
  type TestStore,
} from '../stores.ts';

const size = 3 * 1024 * 1024;
const bytes = madeBytes('layer', size);
const descriptor = await describeBytes(bytes);
const cut = new OciError('NETWORK', 'the connection was cut');

/** Leaves a partial download of about this many bytes, as an interruption does. */
async function interrupted({ registry }: TestStore, keep: number): Promise<void> {
  const source = meteredSource(descriptor, bytes, { bytes: keep, error: cut });
  await assert.rejects(registry.pushBlob(repo, descriptor, source), (error) => error === cut);
}

function partialFile(root: string, { digest }: Descriptor, suffix = ''): string {
  return join(root, 'partial', 'sha256', `${digestHex(digest)}${suffix}`);
}

async function assertWhole({ root, registry }: TestStore): Promise<void> {
  assert.deepEqual(await readBlob(registry, repo, descriptor.digest), Buffer.from(bytes));
  assert.deepEqual(await filesBelow(join(root, 'partial')), []);
}

describe('a download into the store', () => {
  it('takes every size, also nothing at all', async (t) => {
    const { registry } = await openStore(t);
    for (const length of [0, 1, 65_536, 1_048_575, 1_048_576, 1_048_577, 2_500_000]) {
      const content = madeBytes(`size ${length}`, length);
      const blob = await describeBytes(content);
      const result = await registry.pushBlob(repo, blob, meteredSource(blob, content));
      assert.deepEqual(result, { descriptor: blob, outcome: 'pushed' });
      assert.deepEqual(await readBlob(registry, repo, blob.digest), Buffer.from(content));
    }
  });

  it('reads the source once, and not at all if another repository has the blob', async (t) => {
    const { registry } = await openStore(t);
    const source = meteredSource(descriptor, bytes);
    await registry.pushBlob(repo, descriptor, source);
    for (const name of [repo, otherRepo]) {
      assert.equal((await registry.pushBlob(name, descriptor, source)).outcome, 'exists');
    }
    assert.deepEqual([source.openedAt, source.served], [[0], size]);
    assert.equal((await registry.statBlob(otherRepo, descriptor.digest)).size, size);
  });

  it('replaces a blob that a crash left too short', async (t) => {
    const store = await openStore(t);
    await store.registry.pushBlob(repo, descriptor, meteredSource(descriptor, bytes));
    await truncate(blobFile(store.root, descriptor.digest), 1_000);
    await store.registry.pushBlob(repo, descriptor, meteredSource(descriptor, bytes));
    await assertWhole(store);
  });

  it('keeps the bytes so far if the source fails, rethrows its error, and continues from there', async (t) => {
    const store = await openStore(t);
    await interrupted(store, 1_500_000);
    await assert.rejects(store.registry.statBlob(repo, descriptor.digest), failsWith('BLOB_UNKNOWN'));
    const source = meteredSource(descriptor, bytes);
    await store.registry.pushBlob(repo, descriptor, source);
    assert.deepEqual([source.openedAt, source.served], [[1_500_000], size - 1_500_000]);
    await assertWhole(store);
  });

  it('keeps the bytes so far if it is aborted, and rejects with the reason', async (t) => {
    const store = await openStore(t);
    const stop = new AbortController();
    const reason = new Error('enough');
    let cancelled = 0;
    const stalling = {
      async open() {
        async function* chunks(): AsyncGenerator<Uint8Array> {
          yield bytes.slice(0, 1_200_000);
          stop.abort(reason);
          await new Promise((resolve) => setTimeout(resolve, 10));
          yield bytes.slice(1_200_000);
        }
        return streamContent(descriptor, chunks(), async () => {
          cancelled += 1;
        });
      },
    };
    await assert.rejects(
      store.registry.pushBlob(repo, descriptor, stalling, { signal: stop.signal }),
      (error) => error === reason,
    );
    assert.ok(cancelled > 0);
    assert.deepEqual(await readdir(dirname(partialFile(store.root, descriptor))), [digestHex(descriptor.digest)]);
    const source = meteredSource(descriptor, bytes);
    await store.registry.pushBlob(repo, descriptor, source);
    assert.deepEqual(source.openedAt, [1_200_000]);
    await assertWhole(store);
  });

  it('only verifies a partial that is complete', async (t) => {
    const store = await openStore(t);
    await mkdir(dirname(partialFile(store.root, descriptor)), { recursive: true });
    await writeFile(partialFile(store.root, descriptor), bytes);
    const source = meteredSource(descriptor, bytes);
    await store.registry.pushBlob(repo, descriptor, source);
    assert.deepEqual(source.openedAt, []);
    await assertWhole(store);
  });

  it('starts over, once, when the partial was damaged', async (t) => {
    const store = await openStore(t);
    await mkdir(dirname(partialFile(store.root, descriptor)), { recursive: true });
    await writeFile(partialFile(store.root, descriptor), madeBytes('something else', 1_000_000));
    const source = meteredSource(descriptor, bytes);
    await store.registry.pushBlob(repo, descriptor, source);
    assert.deepEqual(source.openedAt, [1_000_000, 0]);
    await assertWhole(store);
  });

  it('starts over when the source has nothing at that offset', async (t) => {
    const store = await openStore(t);
    await interrupted(store, 1_000_000);
    const source = meteredSource(descriptor, bytes);
    const withoutRanges = {
      open: async (offset: number) => {
        if (offset > 0) throw new OciError('RANGE_INVALID', 'no ranges here');
        return await source.open(offset);
      },
    };
    await store.registry.pushBlob(repo, descriptor, withoutRanges);
    await assertWhole(store);
  });

  it('discards a partial that is too large', async (t) => {
    const store = await openStore(t);
    await mkdir(dirname(partialFile(store.root, descriptor)), { recursive: true });
    await writeFile(partialFile(store.root, descriptor), madeBytes('too large', size + 1));
    const source = meteredSource(descriptor, bytes);
    await store.registry.pushBlob(repo, descriptor, source);
    assert.deepEqual(source.openedAt, [0]);
    await assertWhole(store);
  });

  it('refuses other bytes and keeps none of them', async (t) => {
    const { root, registry } = await openStore(t);
    const source = meteredSource(descriptor, madeBytes('other', size));
    await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('DIGEST_MISMATCH'));
    assert.deepEqual(source.openedAt, [0]);
    assert.deepEqual(await filesBelow(root), []);
  });

  it('stops at the first byte too many and keeps nothing', async (t) => {
    const { root, registry } = await openStore(t);
    let served = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      while (served < 3 * size) {
        served += 65_536;
        yield bytes.subarray(0, 65_536);
      }
    }
    const source = { open: async () => streamContent(descriptor, endless()) };
    await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('SIZE_MISMATCH'));
    assert.ok(served <= size + 65_536, `${served} bytes were read`);
    assert.deepEqual(await filesBelow(root), []);
  });

  it('refuses a body that ends early', async (t) => {
    const { root, registry } = await openStore(t);
    const source = { open: async () => streamContent(descriptor, [bytes.subarray(0, 1_000)]) };
    await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('SIZE_MISMATCH'));
    assert.deepEqual(await filesBelow(root), []);
  });

  it('happens once for two that want it at the same time', async (t) => {
    const { registry } = await openStore(t);
    const source = meteredSource(descriptor, bytes);
    const waits: string[] = [];
    const names = [repo, otherRepo, repo];
    const results = await Promise.all(
      names.map((name) => registry.pushBlob(name, descriptor, source, { onWait: (reason) => waits.push(reason) })),
    );
    assert.deepEqual(results.map(({ outcome }) => outcome).sort(), ['exists', 'exists', 'pushed']);
    assert.equal(source.served, size);
    assert.equal(waits.length, 2);
    assert.deepEqual(await readBlob(registry, otherRepo, descriptor.digest), Buffer.from(bytes));
  });

  it('can be aborted while it waits for another', async (t) => {
    const { registry } = await openStore(t);
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let opened = (): void => {};
    const begun = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const slow = {
      open: async (offset: number) => {
        opened();
        await gate;
        return await meteredSource(descriptor, bytes).open(offset);
      },
    };
    const first = registry.pushBlob(repo, descriptor, slow);
    await begun;
    const stop = new AbortController();
    const reason = new Error('not that long');
    const second = registry.pushBlob(repo, descriptor, slow, {
      signal: stop.signal,
      onWait: () => stop.abort(reason),
    });
    await assert.rejects(second, (error) => error === reason);
    finish();
    assert.equal((await first).outcome, 'pushed');
  });

  it('takes over the file and the lock of a dead process', async (t) => {
    const store = await openStore(t);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const holder = newProcessId().replace(/^\d+/, String(pid));
    await mkdir(dirname(partialFile(store.root, descriptor)), { recursive: true });
    await writeFile(partialFile(store.root, descriptor, `.${holder}`), bytes.subarray(0, 2_000_000));
    await writeFile(partialFile(store.root, descriptor, '.lock'), JSON.stringify({ holder }));
    const source = meteredSource(descriptor, bytes);
    await store.registry.pushBlob(repo, descriptor, source);
    assert.deepEqual(source.openedAt, [2_000_000]);
    await assertWhole(store);
  });

  it('copies the file of a silent process, which may still write to it', async (t) => {
    const { root, registry } = await openStore(t);
    const holder = newProcessId();
    const theirs = partialFile(root, descriptor, `.${holder}`);
    await mkdir(dirname(theirs), { recursive: true });
    const asleep = await open(theirs, 'a');
    t.after(() => asleep.close());
    await asleep.write(bytes.subarray(0, 2_000_000));
    const lock = partialFile(root, descriptor, '.lock');
    await writeFile(lock, JSON.stringify({ holder }));
    await utimes(lock, new Date(0), new Date(0));
    const source = meteredSource(descriptor, bytes);
    await registry.pushBlob(repo, descriptor, source);
    assert.deepEqual(source.openedAt, [2_000_000]);
    await asleep.write('it wakes up and writes on');
    assert.deepEqual(await readBlob(registry, repo, descriptor.digest), Buffer.from(bytes));
  });
});

describe('a download of few bytes', () => {
  const few = bytes.subarray(0, 200_000);

  it('stores the blob, and nothing while it comes', async (t) => {
    const { root, registry } = await openStore(t);
    const small = await describeBytes(few);
    const source: BlobSource = {
      async open(offset) {
        assert.deepEqual(
          (await filesBelow(root)).filter((file) => !file.startsWith('leases/')),
          [],
        );
        return meteredSource(small, few).open(offset);
      },
    };
    assert.equal((await registry.pushBlob(repo, small, source)).outcome, 'pushed');
    assert.deepEqual(await readBlob(registry, repo, small.digest), Buffer.from(few));
    assert.equal((await registry.pushBlob(otherRepo, small, meteredSource(small, few))).outcome, 'exists');
  });

  it('keeps nothing of other bytes, too many, too few, or a source that fails', async (t) => {
    const { root, registry } = await openStore(t);
    const small = await describeBytes(few);
    for (const [content, code] of [
      [madeBytes('other', few.length), 'DIGEST_MISMATCH'],
      [bytes.subarray(0, few.length + 1), 'SIZE_MISMATCH'],
      [few.subarray(1), 'SIZE_MISMATCH'],
    ] as const) {
      await assert.rejects(registry.pushBlob(repo, small, meteredSource(small, content)), failsWith(code));
    }
    const broken = meteredSource(small, few, { bytes: 1000, error: cut });
    await assert.rejects(registry.pushBlob(repo, small, broken), (error) => error === cut);
    assert.deepEqual(await filesBelow(root), []);
  });
});
