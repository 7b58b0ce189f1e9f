import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestHex } from '../../../src/model/digest.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { garbageCollector } from '../../../src/registry/extensions.ts';
import { revisionLinkPath } from '../../../src/storage/paths.ts';
import { all, filesBelow, imageWith, openStore, repo } from '../stores.ts';

describe('the link of a referrer whose manifest is gone', () => {
  it('goes with a collection, and one whose manifest is there stays', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const image = await imageWith(registry, repo, 'subject');
    const subject = await registry.pushManifest(repo, image.raw, { tags: [parseTag('one')] });
    const [lost, kept] = [
      await registry.pushManifest(repo, (await imageWith(registry, repo, 'lost', { subject })).raw),
      await registry.pushManifest(repo, (await imageWith(registry, repo, 'kept', { subject })).raw),
    ];
    // The state after a push that came between the first and the last step of the deletion.
    await driver.delete(revisionLinkPath(repo, lost.digest));
    await registry.extension(garbageCollector)?.collect();
    const links = (await filesBelow(root)).filter((file) => file.includes('/_referrers/'));
    assert.equal(links.length, 1);
    assert.ok(links[0]?.includes(digestHex(kept.digest)));
    assert.deepEqual(await all(registry.referrers(repo, subject.digest)).then((found) => found.length), 1);
  });
});
