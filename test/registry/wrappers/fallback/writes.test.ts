import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciError } from '../../../../src/model/errors.ts';
import { parseTag } from '../../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../../src/registry/content.ts';
import { fallback } from '../../../../src/registry/wrappers/fallback/fallback.ts';
import { all, failsWith } from '../../../contract/contract.ts';
import { buildBlob } from '../../../support/layer.ts';
import { actor, failing, fill, latest, repo } from './endpoints.ts';

const bytes = Buffer.from('a blob of some bytes');

describe('writing through a fallback', () => {
  it('goes to the first origin that answers, and to no mirror', async () => {
    const actors = [actor('mirror', 'mirror'), actor('first', 'origin'), actor('second', 'origin')] as const;
    const [mirror, first, second] = actors;
    const blob = await fill(bytes, second);
    first.failure = failing('NETWORK');
    const registry = fallback(actors);
    await registry.pushBlob(repo, blob, bytesSource(blob, bytes));
    await registry.pushManifest(repo, await second.registry.getManifest(repo, latest), { tags: [parseTag('new')] });
    await registry.deleteTag(repo, latest);
    assert.equal(mirror.opened, 0);
    assert.deepEqual(first.asked, ['ping']);
    assert.deepEqual(second.asked, ['ping', 'pushBlob', 'pushManifest', 'deleteTag']);
    assert.deepEqual(await all(second.registry.tags(repo)), ['new']);
  });

  it('goes without a ping to the origin that has just answered, unless one before it may answer', async () => {
    const actors = [actor('mirror', 'mirror'), actor('first', 'origin'), actor('second', 'origin')] as const;
    const [mirror, first, second] = actors;
    await fill(bytes, first, second);
    mirror.failure = failing('MANIFEST_UNKNOWN');
    const registry = fallback(actors);
    const manifest = await registry.getManifest(repo, latest);
    await registry.pushManifest(repo, manifest, { tags: [parseTag('new')] });
    assert.deepEqual(first.asked, ['getManifest', 'pushManifest']);
    first.failure = failing('MANIFEST_UNKNOWN', { status: 404 });
    const lacking = fallback([first, second]);
    await assert.rejects(lacking.statManifest(repo, latest), failsWith('MANIFEST_UNKNOWN'));
    first.failure = undefined;
    await lacking.pushManifest(repo, manifest);
    assert.deepEqual(first.asked.splice(2), ['statManifest', 'pushManifest']);
    first.failure = failing('UNAVAILABLE', { status: 503 });
    const another = fallback([first, second]);
    await another.getManifest(repo, latest);
    first.failure = undefined;
    await another.pushManifest(repo, manifest);
    assert.deepEqual(first.asked.slice(2), ['getManifest', 'ping', 'pushManifest']);
    assert.deepEqual(second.asked, ['getManifest']);
  });

  it('is asked for once by all who write at first; where the first gives up, another asks', async () => {
    const origin = actor('origin', 'origin');
    const registry = fallback([origin]);
    const blobs = await Promise.all(['a', 'b', 'c'].map((text) => buildBlob(text, 'text/plain')));
    const stop = new AbortController();
    const pushes = blobs.map(({ descriptor, source }, nth) =>
      registry.pushBlob(repo, descriptor, source, nth === 0 ? { signal: stop.signal } : {}),
    );
    stop.abort(new OciError('CANCELLED', 'enough'));
    const [first, ...others] = await Promise.allSettled(pushes);
    assert.equal(first?.status, 'rejected');
    assert.deepEqual(
      others.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    assert.ok(origin.asked.filter((what) => what === 'ping').length <= 2, origin.asked.join());
  });

  it('reports the error of an origin that refuses, without asking another', async () => {
    const [first, second] = [actor('first', 'origin'), actor('second', 'origin')];
    await fill(bytes, first);
    const registry = fallback([first, second]);
    await registry.ping();
    first.failure = failing('DENIED');
    await assert.rejects(registry.startUpload(repo), failsWith('DENIED'));
    assert.equal(second.opened, 0);
  });
});
