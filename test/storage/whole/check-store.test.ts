import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { blobPath, tagCurrentPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { checkStore } from '../../../src/storage/whole/check-store.ts';
import type { StoreFault } from '../../../src/storage/whole/faults.ts';
import { storeStats } from '../../../src/storage/whole/stats.ts';
import { imageWith, repo, text } from '../stores.ts';

const count = 2_000;
const tags = Array.from({ length: count }, (_, index) => parseTag(`v${String(index).padStart(4, '0')}`));

/** An image with two thousand tags, whose layer is missing. */
async function filled() {
  const driver = createMemoryDriver();
  const image = await imageWith(createStorage({ driver }), repo, 'image');
  const { digest } = await createStorage({ driver }).pushManifest(repo, image.raw);
  for (const tag of tags) await driver.put(tagCurrentPath(repo, tag), text(digest));
  await driver.delete(blobPath(image.layer.digest));
  return openStore({ driver });
}

describe('a check of a repository with two thousand tags', () => {
  it('names all of them, sorted, for what their image lacks', async () => {
    const faults: StoreFault[] = [];
    const checked = await checkStore(await filled(), { onFault: async (fault) => void faults.push(fault) });
    assert.equal(checked.tags, count);
    assert.deepEqual(
      faults.map(({ kind, state, names }) => ({ kind, state, names })),
      [{ kind: 'layer', state: 'missing', names: tags.map((tag) => `${repo}:${tag}`) }],
    );
  });

  // Reads that need no turn of the event loop would keep signals and timers out until the end.
  it('can be interrupted within the repository, and so can a count', async () => {
    const store = await filled();
    for (const run of [
      (signal: AbortSignal) => checkStore(store, { signal }),
      (signal: AbortSignal) => storeStats(store, { signal, limit: 1 }),
    ]) {
      const stop = new AbortController();
      setImmediate(() => stop.abort(new Error('interrupted')));
      await assert.rejects(run(stop.signal), /interrupted/);
    }
  });
});
