/** All tags of a repository to docker-registry, on a machine that has other things to do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copySet, tagSets } from '../support/images/many-tags.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { allTagsRuns } from './bars.ts';

const busyLoops = 4;

describe(`copy --all-tags beside ${busyLoops} busy loops`, { concurrency: false }, async () => {
  for (const set of await tagSets()) {
    it(`sends each blob of ${set.title} once, in ${allTagsRuns} runs`, async (t) => {
      if (!needs(t, 'docker-registry')) return;
      for (let loop = 0; loop < busyLoops; loop += 1) {
        start(t, process.execPath, ['-e', 'for (;;);'], { env: {}, timeoutMs: 600_000 });
      }
      const { uploads, blobs } = await copySet(t, set, { runs: allTagsRuns });
      t.diagnostic(`${uploads} uploads of ${blobs} blobs`);
      assert.equal(uploads, blobs);
    });
  }
});
