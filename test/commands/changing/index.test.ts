import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag, type RepositoryName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { startServe } from '../../support/registries.ts';
import { app, buildDemoIndex, imageFor, one, startPlace, two, writes } from '../copy/places.ts';
import { indexAt, startChanging } from './changed.ts';

const architectures = async (registry: Registry, digest: Digest) =>
  (await indexAt(registry, digest)).view.manifests.map(({ platform }) => platform?.architecture);

describe('ocictl index create', () => {
  it('makes the same index of images from several registries, and brings them along', async (t) => {
    const { registry, name, run } = await startChanging(t);
    const other = await startPlace(t);
    const [amd64, arm64] = [await imageFor('amd64'), await imageFor('arm64')];
    await pushImage(registry, app, one, amd64);
    await pushImage(other.registry, app, one, arm64);
    const words = [`${name}:1`, `${other.host}/${app}@${arm64.descriptor.digest}`];
    const { digest } = await run(
      'index',
      'create',
      ...words,
      '-t',
      `${name}:2`,
      '-a',
      'k=v',
      '--entry-annotation',
      'e=1',
    );
    const { view, document } = await indexAt(registry, digest);
    assert.equal((await registry.statManifest(app, two)).digest, digest);
    assert.deepEqual([view.annotations, document.mediaType], [{ k: 'v' }, mediaTypes.ociIndex]);
    assert.deepEqual(
      view.manifests,
      [amd64, arm64].map(({ descriptor }) => ({ ...descriptor, annotations: { e: '1' } })),
    );
    for (const { descriptor } of arm64.blobs) await registry.statBlob(app, descriptor.digest);
    const again = await run('index', 'create', ...words, '-t', 'oci:dir:1', '-a', 'k=v', '--entry-annotation', 'e=1');
    assert.equal(again.digest, digest);
    const archive = await run('index', 'create', 'oci:dir:1', '-t', 'oci-archive:a.tar');
    assert.equal(archive.digest, digest, 'one index alone stays as it is');
  });

  it('makes a list of Docker of images of Docker, with the platform that is set', async (t) => {
    const { registry, name, run } = await startChanging(t);
    await pushImage(registry, app, one, await buildImage({ layers: [], format: 'docker' }));
    const { digest } = await run('index', 'create', `${name}:1`, '-t', `${name}:2`, '--set-platform', 'linux/arm/v6');
    const { view, document } = await indexAt(registry, digest);
    assert.equal(document.mediaType, mediaTypes.dockerList);
    assert.deepEqual(view.manifests[0]?.platform, { os: 'linux', architecture: 'arm', variant: 'v6' });
  });

  it('takes some platforms of an index, with their attestations', async (t) => {
    const { registry, name, run } = await startChanging(t);
    await pushImage(registry, app, one, (await buildDemoIndex()).index);
    const { digest } = await run('index', 'create', `${name}:1`, '-t', `${name}:2`, '--platform', 'linux/amd64');
    assert.deepEqual(await architectures(registry, digest), ['amd64', 'unknown']);
  });

  it('refuses what makes no index, and writes nothing', async (t) => {
    const { registry, name, proxy } = await startChanging(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    await pushImage(registry, app, two, await imageFor('amd64', ['other']));
    await pushImage(registry, app, parseTag('index'), (await buildDemoIndex()).index);
    const refused: readonly (readonly [words: readonly string[], status: number, said: RegExp])[] = [
      [[`${name}:1`, `${name}:2`, '-t', `${name}:3`], 2, /two images are for linux\/amd64/],
      [[`${name}:1`], 2, /where the result goes/],
      [[`${name}:index`, '-t', `${name}:3`, '--set-platform', 'linux/arm64'], 2, /for one image/],
      [[`${name}:1`, '-t', `${name}:3`, '--image-format', 'docker'], 1, /no entries of the type/],
      [[`${name}:none`, '-t', `${name}:3`], 3, /none/],
    ];
    for (const [words, status, said] of refused) {
      const { exitCode, stderr } = await ocictl(t, ['index', 'create', ...words]);
      assert.equal(exitCode, status, stderr);
      assert.match(stderr, said);
    }
    assert.deepEqual(writes(proxy), []);
  });
});

describe('ocictl index add, remove and annotate', () => {
  it('change the index in place, and keep what they are not told to change', async (t) => {
    const { registry, name, run } = await startChanging(t);
    const subject = await buildArtifact({ artifactType: 'a/b' });
    await pushImage(registry, app, undefined, subject);
    const amd64 = await imageFor('amd64');
    const index = await buildIndex([amd64], { annotations: { old: 'x' }, subject: subject.descriptor });
    await pushImage(registry, app, one, index);
    await pushImage(registry, app, two, await imageFor('arm64'));
    const added = await run('index', 'add', `${name}:1`, `${name}:2`);
    assert.deepEqual(await architectures(registry, added.digest), ['amd64', 'arm64']);
    assert.equal((await registry.statManifest(app, one)).digest, added.digest);
    const same = await run('index', 'add', `${name}:1`, `${name}:2`);
    assert.equal(same.digest, added.digest);
    const words = ['--annotation', 'new=y', '--unset-annotation', 'old'];
    await run('index', 'annotate', `${name}:1`, ...words);
    const entry = ['--platform', 'linux/arm64', '-a', 'e=f', '--set-platform', 'linux/arm64/v9'];
    const annotated = await run('index', 'annotate', `${name}:1`, ...entry);
    const { view } = await indexAt(registry, annotated.digest);
    assert.deepEqual([view.annotations, view.subject?.digest], [{ new: 'y' }, subject.descriptor.digest]);
    assert.deepEqual([view.manifests[1]?.annotations, view.manifests[1]?.platform?.variant], [{ e: 'f' }, 'v9']);
    const removed = await run('index', 'remove', `${name}:1`, amd64.descriptor.digest, '-t', `${name}:3`);
    assert.deepEqual(await architectures(registry, removed.digest), ['arm64']);
    assert.equal((await registry.statManifest(app, one)).digest, annotated.digest);
  });

  it('put a newer image in the place of one for its platform, without that one’s attestations', async (t) => {
    const { registry, name, run } = await startChanging(t);
    await pushImage(registry, app, one, (await buildDemoIndex()).index);
    const newer = await imageFor('amd64', ['newer']);
    await pushImage(registry, app, two, newer);
    const { digest } = await run('index', 'add', `${name}:1`, `${name}:2`);
    const { view } = await indexAt(registry, digest);
    assert.equal(view.manifests[0]?.digest, newer.descriptor.digest);
    assert.deepEqual(await architectures(registry, digest), ['amd64', 'arm64', 'riscv64']);
    const removed = await run('index', 'remove', `${name}:1`, '--platform', 'arm64,riscv64');
    assert.deepEqual(await architectures(registry, removed.digest), ['amd64']);
  });

  it('read the index again if somebody else writes it, before or after', async (t) => {
    const memory = memoryRegistry();
    const others = [await imageFor('riscv64'), await imageFor('s390x')];
    const amd64 = await imageFor('amd64');
    const lost: string[] = [];
    let pushes = 0;
    // Somebody else writes an index without ours, right after ours was written.
    const pushManifest: Registry['pushManifest'] = async (repo: RepositoryName, manifest, opts) => {
      const pushed = await memory.pushManifest(repo, manifest, opts);
      const other = opts?.tags?.length && manifest.mediaType === mediaTypes.ociIndex ? others[pushes] : undefined;
      if (!other) return pushed;
      pushes += 1;
      lost.push(pushed.digest);
      await pushImage(memory, app, one, await buildIndex([amd64, other]));
      return pushed;
    };
    const { host } = await startServe(t, { registry: { ...memory, pushManifest } });
    await pushImage(memory, app, one, await buildIndex([amd64]));
    await pushImage(memory, app, two, await imageFor('arm64'));
    const { exitCode, stdout, stderr } = await ocictl(t, ['index', 'add', `${host}/${app}:1`, `${host}/${app}:2`]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(lost.length, 2);
    const digest = (await memory.statManifest(app, one)).digest;
    assert.equal(stdout, `${digest}\n`);
    assert.deepEqual(await architectures(memory, digest), ['amd64', 's390x', 'arm64']);
  });

  it('refuse what is no index, what it does not name, and what is not said', async (t) => {
    const { registry, name, proxy } = await startChanging(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    const { index, amd64 } = await buildDemoIndex();
    await pushImage(registry, app, two, index);
    const refused: readonly (readonly [words: readonly string[], status: number, said: RegExp])[] = [
      [['remove', `${name}:2`], 2, /not said what is removed/],
      [['remove', `${name}:1`, amd64.descriptor.digest], 1, /is no index/],
      [['remove', `${name}:2`, `sha256:${'0'.repeat(64)}`], 3, /does not name/],
      [['remove', `${name}:2`, '--platform', 's390x'], 3, /no matching manifest/],
      [['annotate', `${name}:2`, '--set-platform', 'arm64'], 2, /none is chosen/],
      [['add', `${name}:none`, `${name}:1`], 3, /none/],
      [['add', 'oci-archive:a.tar:1', `${name}:1`], 1, /whole images/],
    ];
    for (const [words, status, said] of refused) {
      const { exitCode, stderr } = await ocictl(t, ['index', ...words]);
      assert.equal(exitCode, status, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, said);
    }
    assert.deepEqual(
      writes(proxy).filter((line) => line.includes('/manifests/')),
      [],
    );
  });
});
