import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { buildArtifact, buildIndex, pushImage } from '../../support/images.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, buildDemoIndex, one, startPlace, two, writes } from './places.ts';

describe('ocictl copy --platform with several platforms', () => {
  it('copies several platforms of an index into a layout and the store, the index unchanged', async (t) => {
    const from = await startPlace(t);
    const { index, amd64, arm64, riscv64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const name = `${from.host}/team/app:1`;
    for (const words of [['linux/amd64,linux/arm64'], ['linux/arm64', '--platform', 'linux/amd64']]) {
      const { exitCode, stderr } = await ocictl(t, ['copy', name, 'oci:some:1', '--platform', ...words]);
      assert.equal(exitCode, 0, stderr);
      assert.doesNotMatch(stderr, /lacks/);
    }
    const registry = await openLayout({ directory: join((await sandbox(t)).home, 'some'), readOnly: true });
    assert.equal((await registry.statManifest(layoutRepository, one)).digest, index.descriptor.digest);
    for (const image of [amd64, arm64]) await assertWhole(registry, layoutRepository, image);
    await assert.rejects(registry.statManifest(layoutRepository, riscv64.descriptor.digest));
    const missing = await ocictl(t, ['copy', name, 'store:app', '--platform', 'linux/amd64,linux/s390x']);
    assert.deepEqual([missing.exitCode, missing.stdout], [3, '']);
  });

  it('makes a smaller index for a registry, with the attestations of its images, and tells both digests', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index, amd64, arm64, riscv64, attestation } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const words = ['copy', `${from.host}/team/app:1`, `${to.host}/team/app:1`, '--platform', 'linux/arm64,linux/amd64'];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    const { digest } = await to.registry.statManifest(app, one);
    assert.ok(stderr.includes(`of the index ${index.descriptor.digest}, linux/arm64, linux/amd64 are copied`), stderr);
    assert.ok(stderr.includes(`as the index ${digest}\n`), stderr);
    const { view } = await to.registry.getManifest(app, digest);
    const digests = view.kind === 'index' ? view.manifests.map((entry) => entry.digest) : [];
    assert.deepEqual(
      digests,
      [amd64, arm64, attestation].map(({ descriptor }) => descriptor.digest),
    );
    for (const image of [amd64, arm64, attestation]) await assertWhole(to.registry, app, image);
    await assert.rejects(to.registry.statManifest(app, riscv64.descriptor.digest));
    const before = to.proxy.requests.length;
    const again = await ocictl(t, [...words, '--json']);
    const result = JSON.parse(again.stdout) as Record<string, unknown>;
    assert.deepEqual(
      [result['changed'], result['digest'], result['rewrittenFrom']],
      [false, digest, index.descriptor.digest],
    );
    assert.deepEqual(writes(to.proxy, before), []);
  });

  it('keeps the index where it names nothing else, and says so of an image that is for another platform', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    await pushImage(from.registry, app, two, arm64);
    const all = 'linux/arm64,linux/amd64,linux/riscv64';
    const copy = (tag: string, platforms: string) =>
      ocictl(t, ['copy', `${from.host}/team/app:${tag}`, `${to.host}/team/app:${tag}`, '--platform', platforms]);
    assert.equal((await copy('1', all)).exitCode, 0);
    assert.equal((await to.registry.statManifest(app, one)).digest, index.descriptor.digest);
    assert.equal((await copy('2', 'linux/arm64,linux/s390x')).exitCode, 0);
    const other = await copy('2', 'linux/amd64,linux/s390x');
    assert.equal(other.exitCode, 3);
    assert.match(other.stderr, /the image is for linux\/arm64 alone/);
  });

  it('makes a smaller index of nested ones too', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index, amd64, arm64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, await buildIndex([index]));
    const words = [`${from.host}/team/app:1`, `${to.host}/team/app:1`, '--platform', 'linux/arm64,linux/amd64'];
    const { exitCode, stderr } = await ocictl(t, ['copy', ...words]);
    assert.equal(exitCode, 0, stderr);
    for (const image of [amd64, arm64]) await assertWhole(to.registry, app, image);
    const { view } = await to.registry.getManifest(app, one);
    assert.ok(view.kind === 'index');
    assert.equal(view.manifests.length, 1);
    assert.notEqual(view.manifests[0]?.digest, index.descriptor.digest);
  });

  it('pushes the unchanged index with --sparse where the destination takes it, and explains where not', async (t) => {
    const from = await startPlace(t);
    const { index, arm64, riscv64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const taking = await spawnServe(t, ['--memory', '--sparse']);
    const copy = (host: string) =>
      ocictl(t, ['copy', '--sparse', '--platform', 'linux/arm64', `${from.host}/team/app:1`, `${host}/team/app:1`]);
    const taken = await copy(taking.host);
    assert.equal(taken.exitCode, 0, taken.stderr);
    const there = openRemote(t, taking.url);
    assert.equal((await there.statManifest(app, one)).digest, index.descriptor.digest);
    await assertWhole(there, app, arm64);
    await assert.rejects(there.statManifest(app, riscv64.descriptor.digest));
    const refused = await copy((await startPlace(t)).host);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /hint: most registries take no index without its images: without --sparse/);
    const alone = await ocictl(t, ['copy', '--sparse', `${from.host}/team/app:1`, 'oci:dir']);
    assert.equal(alone.exitCode, 2);
  });

  it('leaves what refers to the whole index behind, and says so', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const referrer = await buildArtifact({ artifactType: 'a/parts', subject: index.descriptor });
    await pushImage(from.registry, app, undefined, referrer);
    const words = ['--referrers', '--platform', 'linux/arm64,linux/amd64'];
    const { stderr } = await ocictl(t, ['copy', ...words, `${from.host}/team/app:1`, `${to.host}/team/app:1`]);
    assert.match(stderr, /^1 referrer stays behind: what refers to the index sha256:/m);
    await assert.rejects(to.registry.statManifest(app, referrer.descriptor.digest));
  });
});
