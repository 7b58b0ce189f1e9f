import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildIndex, pushImage } from '../../support/images.ts';
import { app, assertWhole, buildDemoIndex, one, startPlace, writes } from '../copy/places.ts';
import { startSigned } from './signed.ts';

describe('ocictl delete --referrers', () => {
  it('deletes what hangs on a manifest on all levels, and the manifest last', async (t) => {
    const { name, digest, tag, parts, report, signature, registry, proxy } = await startSigned(t);
    const deep = await buildArtifact({ artifactType: 'a/deep', subject: parts.descriptor });
    await pushImage(registry, app, undefined, deep);
    const words = ['--referrers', '--json', `${name}@${digest}`];
    const would = await ocictl(t, ['delete', '--dry-run', ...words]);
    assert.equal(would.exitCode, 12, would.stderr);
    assert.deepEqual(writes(proxy), []);
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', ...words]);
    assert.equal(exitCode, 0, stderr);
    const { deleted } = JSON.parse(stdout) as { deleted: readonly string[] };
    assert.deepEqual(deleted, (JSON.parse(would.stdout) as { wouldDelete: unknown }).wouldDelete);
    assert.equal(deleted[0], `${name}@${deep.descriptor.digest}`);
    assert.deepEqual(deleted.slice(-3), [`${name}@${digest}`, `${name}:1`, `${name}:2`]);
    assert.ok(deleted.includes(`${name}:${tag}`));
    for (const each of [deep, parts, report, signature]) {
      await assert.rejects(registry.statManifest(app, each.descriptor.digest));
    }
    assert.match(writes(proxy).at(-1) ?? '', new RegExp(digest));
  });

  it('leaves what a tag or an index that stays needs, with what hangs on it, and says why', async (t) => {
    const { name, digest, tag, image, parts, report, signature, registry } = await startSigned(t);
    const deep = await buildArtifact({ artifactType: 'a/deep', subject: parts.descriptor });
    await pushImage(registry, app, undefined, deep);
    await pushImage(registry, app, parseTag('parts-1'), parts);
    await pushImage(registry, app, parseTag('list'), await buildIndex([report]));
    await pushImage(registry, app, parseTag('sha256-kept'), signature);
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', '--referrers', `${name}@${digest}`]);
    assert.equal(exitCode, 0, stderr);
    const gone = [`${name}:${tag}`, `${name}@${digest}`, `${name}:1`, `${name}:2`];
    assert.deepEqual(
      stdout.trimEnd().split('\n'),
      gone.map((each) => `Deleted: ${each}`),
      stderr,
    );
    assert.match(stderr, new RegExp(`${parts.descriptor.digest} stays: .*parts-1, which stays, is the same image`));
    assert.match(stderr, new RegExp(`${report.descriptor.digest} stays: .*list, which stays, needs it`));
    assert.match(stderr, new RegExp(`${deep.descriptor.digest} stays: what it hangs on stays`));
    for (const each of [parts, report, signature, deep]) await registry.statManifest(app, each.descriptor.digest);
    await assert.rejects(registry.statManifest(app, image.descriptor.digest));
  });

  it('leaves the images of an index, and what hangs on them', async (t) => {
    const { registry, host } = await startPlace(t);
    const { index, amd64 } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const [onIndex, onImage] = [
      await buildArtifact({ artifactType: 'a/index', subject: index.descriptor }),
      await buildArtifact({ artifactType: 'a/image', subject: amd64.descriptor }),
    ];
    for (const each of [onIndex, onImage]) await pushImage(registry, app, undefined, each);
    const words = ['manifest', 'delete', '--yes', '--referrers', `${host}/team/app:1`];
    const { exitCode, stdout, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout.trimEnd().split('\n').length, 3);
    await assertWhole(registry, app, amd64);
    await registry.statManifest(app, onImage.descriptor.digest);
    await assert.rejects(registry.statManifest(app, onIndex.descriptor.digest));
  });

  it('can be repeated after a failure: the subject is still there', async (t) => {
    const { name, digest, parts, report, registry, proxy } = await startSigned(t);
    const [first] = [parts, report].map(({ descriptor }) => descriptor.digest).sort();
    proxy.fail({ method: 'DELETE', path: new RegExp(`${first}`), status: 403, times: 1 });
    const words = ['delete', '--yes', '--referrers', `${name}@${digest}`];
    const failed = await ocictl(t, words);
    assert.equal(failed.exitCode, 4, failed.stderr);
    assert.equal((await registry.statManifest(app, one)).digest, digest);
    const again = await ocictl(t, words);
    assert.equal(again.exitCode, 0, again.stderr);
    for (const each of [parts, report]) await assert.rejects(registry.statManifest(app, each.descriptor.digest));
  });

  it('deletes nothing if a list cannot be read', async (t) => {
    const { name, digest, proxy } = await startSigned(t);
    proxy.fail({ path: /\/referrers\//, status: 403 });
    const { exitCode } = await ocictl(t, ['delete', '--yes', '--referrers', `${name}@${digest}`]);
    assert.equal(exitCode, 4);
    assert.deepEqual(writes(proxy), []);
  });

  it('goes with a digest: a tag is deleted alone', async (t) => {
    const { name, proxy } = await startSigned(t);
    const { exitCode, stderr } = await ocictl(t, ['delete', '--referrers', `${name}:1`]);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /hint: .*ocictl manifest delete --referrers \S+:1/);
    assert.equal(proxy.requests.length, 0);
  });

  it('by rules deletes manifests with their tags, also where tags could be deleted alone', async (t) => {
    const { name, digest, parts, tag, registry } = await startSigned(t);
    const words = ['delete', '--match', '*', '--referrers', '--json', name];
    const would = await ocictl(t, [...words, '--dry-run']);
    assert.equal(would.exitCode, 12, would.stderr);
    const { exitCode, stdout, stderr } = await ocictl(t, [...words, '--yes', '--save', 'gone.tar']);
    assert.equal(exitCode, 0, stderr);
    const { deleted, alsoDeleted } = JSON.parse(stdout) as {
      deleted: readonly { tag: string }[];
      alsoDeleted: readonly string[];
    };
    assert.deepEqual(
      deleted.map((each) => each.tag),
      ['1', '2'],
    );
    assert.deepEqual(alsoDeleted, (JSON.parse(would.stdout) as { alsoDeleted: unknown }).alsoDeleted);
    for (const each of [`@${digest}`, `@${parts.descriptor.digest}`, `:${tag}`])
      assert.ok(alsoDeleted.includes(name + each));
    assert.equal((await ocictl(t, ['tags', name])).stdout, '');
    await ocictl(t, ['manifest', 'put', name, 'oci-archive:gone.tar']);
    assert.equal((await registry.statManifest(app, one)).digest, digest);
    await registry.statManifest(app, parts.descriptor.digest);
  });
});
