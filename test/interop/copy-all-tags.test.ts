/** All tags of a repository, to a registry on a disk that fails pushes of what another client is just pushing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copySet, tagSets } from '../support/images/many-tags.ts';
import { needs } from '../support/programs.ts';

describe('copy --all-tags to docker-registry', { concurrency: false }, async () => {
  for (const set of await tagSets()) {
    it(`sends each blob of ${set.title} once`, async (t) => {
      if (!needs(t, 'docker-registry')) return;
      const { uploads, blobs } = await copySet(t, set, { runs: 3 });
      assert.equal(uploads, blobs);
    });

    it(`of ${set.title} succeeds beside two others that do the same`, async (t) => {
      if (!needs(t, 'docker-registry')) return;
      await copySet(t, set, { runs: 2, processes: 3 });
    });
  }
});
