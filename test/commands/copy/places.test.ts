import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { parseReference, parseRepositoryName, toStoreName } from '../../../src/model/reference/reference.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { keepImage, localStore } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';
import {
  app,
  assertWhole,
  buildDemoIndex,
  imageFor,
  latest,
  moveOneBlobAtATime,
  one,
  startPlace,
  two,
  writes,
} from './places.ts';

describe('ocictl copy and directories', () => {
  it('writes a layout, which is made, and reads it back', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const out = await ocictl(t, ['copy', `${from.host}/team/app:1`, 'oci:made/here:1']);
    assert.deepEqual([out.exitCode, out.stdout], [0, 'oci:made/here:1\n'], out.stderr);
    const registry = await openLayout({ directory: join((await sandbox(t)).home, 'made/here'), readOnly: true });
    await assertWhole(registry, layoutRepository, index);
    // The only image of a layout needs no name.
    const back = await ocictl(t, ['copy', 'oci:made/here', `${to.host}/team/app:1`]);
    assert.equal(back.exitCode, 0, back.stderr);
    await assertWhole(to.registry, app, index);
    const again = await ocictl(t, ['copy', '--json', `${from.host}/team/app:1`, 'oci:made/here:1']);
    assert.equal((JSON.parse(again.stdout) as { changed: boolean }).changed, false);
  });

  it('says what lists the names of a layout that lacks one', async (t) => {
    const { registry, host } = await startPlace(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    await ocictl(t, ['copy', `${host}/team/app:1`, 'oci:made:1']);
    const { exitCode, stderr } = await ocictl(t, ['copy', 'oci:made:nope', `${host}/team/app:2`]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /oci:made has no manifest nope\nhint: ocictl tags oci:made lists what it has\n/);
    assert.equal((await ocictl(t, ['tags', 'oci:made'])).stdout, '1\n');
  });

  it('calls an image latest where the directory alone is named, and takes several', async (t) => {
    const from = await startPlace(t);
    const { index, amd64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    await pushImage(from.registry, app, two, amd64);
    assert.equal((await ocictl(t, ['copy', `${from.host}/team/app:1`, 'oci:dir'])).stdout, 'oci:dir:latest\n');
    assert.equal((await ocictl(t, ['copy', `${from.host}/team/app:2`, 'oci:dir:2'])).exitCode, 0);
    assert.equal((await ocictl(t, ['tags', 'oci:dir'])).stdout, '2\nlatest\n');
    const several = await ocictl(t, ['copy', 'oci:dir', 'oci:other']);
    assert.equal(several.exitCode, 2);
    assert.match(several.stderr, /holds 2 images/);
    assert.deepEqual(await entriesOf(t, 'other'), undefined);
    const byDigest = await ocictl(t, ['copy', `oci:dir@${amd64.descriptor.digest}`, 'oci:other:x']);
    assert.deepEqual([byDigest.exitCode, byDigest.stdout], [0, 'oci:other:x\n'], byDigest.stderr);
  });

  it('copies images out of the store, and into it', async (t) => {
    const to = await startPlace(t);
    const { index } = await buildDemoIndex();
    await keepImage(t, 'example.com/team/app:1', index);
    const words = ['copy', 'store:example.com/team/app:1', `${to.host}/team/app:1`];
    assert.equal((await ocictl(t, words)).exitCode, 0);
    await assertWhole(to.registry, app, index);
    const into = await ocictl(t, ['copy', `${to.host}/team/app:1`, 'store:app']);
    assert.deepEqual([into.exitCode, into.stdout], [0, 'store:docker.io/library/app:latest\n'], into.stderr);
    const repo = toStoreName(parseReference('app'));
    await assertWhole(await localStore(t), repo, index);
    assert.match((await ocictl(t, ['images'])).stdout, /^app +latest/m);
  });

  it('copies the whole index for --all and --platform all, as without', async (t) => {
    const from = await startPlace(t);
    const { index } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    for (const words of [['--all'], ['--platform', 'all']]) {
      const to = await startPlace(t);
      const { exitCode, stderr } = await ocictl(t, [
        'copy',
        ...words,
        `${from.host}/team/app:1`,
        `${to.host}/team/app:1`,
      ]);
      assert.equal(exitCode, 0, stderr);
      await assertWhole(to.registry, app, index);
    }
  });

  it('mounts blobs of a stored image that the destination has in another repository', async (t) => {
    const to = await startPlace(t);
    const image = await imageFor('amd64');
    await keepImage(t, `${to.host}/team/base:1`, image);
    await pushImage(to.registry, parseRepositoryName('team/base'), one, image);
    await keepImage(t, 'local/app:1', image);
    assert.equal((await ocictl(t, ['copy', 'store:local/app:1', `${to.host}/team/app:1`])).exitCode, 0);
    assert.equal(to.proxy.count(/mount=.*from=team%2Fbase/, 'POST'), image.blobs.length);
    assert.equal(to.proxy.count(/digest=/, 'PUT'), 0);
  });

  it('names the platforms that a store lacks where several are there, with status 3; only the store takes the rest', async (t) => {
    const to = await startPlace(t);
    const { index, arm64, amd64 } = await buildDemoIndex();
    await keepImage(t, 'example.com/app:1', index, { omit: [arm64] });
    for (const destination of [`${to.host}/team/app:1`, 'oci:dir:1']) {
      const refused = await ocictl(t, ['copy', 'store:example.com/app:1', destination]);
      assert.equal(refused.exitCode, 3, refused.stderr);
      assert.match(refused.stderr, /images that are not there: linux\/arm64\n/);
      assert.match(refused.stderr, /ocictl pull --platform all/);
    }
    assert.deepEqual(writes(to.proxy), []);
    const partly = await ocictl(t, ['copy', 'store:example.com/app:1', 'store:other:1']);
    assert.equal(partly.exitCode, 0, partly.stderr);
    assert.match(partly.stderr, /so the copy lacks them too: linux\/arm64$/m);
    const chosen = ['copy', '--platform', 'linux/amd64', 'store:example.com/app:1', `${to.host}/team/app:1`];
    assert.equal((await ocictl(t, chosen)).exitCode, 0);
    assert.equal((await to.registry.statManifest(app, one)).digest, amd64.descriptor.digest);
  });

  it('copies the one image of an index that was pulled, as push does, and says so', async (t) => {
    const to = await startPlace(t);
    const { index, arm64, riscv64, attestation, amd64 } = await buildDemoIndex();
    await keepImage(t, 'app:1', index, { omit: [arm64, riscv64, attestation] });
    for (const destination of [`${to.host}/team/app:1`, 'oci:dir:1']) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--json', 'store:app:1', destination]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(JSON.parse(stdout).digest, amd64.descriptor.digest);
      assert.match(stderr, /only linux\/amd64 is here; copying that image alone.*ocictl pull --platform all/);
    }
    assert.equal((await to.registry.statManifest(app, one)).digest, amd64.descriptor.digest);
    const registry = await openLayout({ directory: join((await sandbox(t)).home, 'dir'), readOnly: true });
    assert.equal((await registry.statManifest(layoutRepository, one)).digest, amd64.descriptor.digest);
    await assertWhole(registry, layoutRepository, amd64);
    const renamed = await ocictl(t, ['copy', '--json', 'store:app:1', 'store:other:1']);
    assert.equal(JSON.parse(renamed.stdout).digest, index.descriptor.digest);
  });

  it('refuses --platform all for an incomplete index, and names the missing images', async (t) => {
    const to = await startPlace(t);
    const { index, arm64, riscv64, attestation } = await buildDemoIndex();
    await keepImage(t, 'app:1', index, { omit: [arm64, riscv64, attestation] });
    await keepImage(t, `${to.host}/team/app:1`, index, { omit: [arm64, riscv64, attestation] });
    for (const words of [
      ['copy', '--platform', 'all', 'store:app:1', 'oci:dir:1'],
      ['copy', '--platform', 'all', 'store:app:1', 'store:other:1'],
      ['push', '--platform', 'all', `${to.host}/team/app:1`],
    ]) {
      const { exitCode, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, /images that are not there: linux\/arm64, linux\/riscv64.*\n.*ocictl pull --platform all/);
    }
    assert.deepEqual(writes(to.proxy), []);
  });

  it('completes a layout that lacks images of its index', async (t) => {
    const to = await startPlace(t);
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(to.registry, app, two, index);
    const directory = join((await sandbox(t)).home, 'dir');
    const lacking = await openLayout({ directory, create: true });
    await pushImage(lacking, layoutRepository, one, index, { omit: [arm64] });
    assert.equal((await ocictl(t, ['copy', `${to.host}/team/app:2`, 'oci:dir:1'])).exitCode, 0);
    await assertWhole(await openLayout({ directory, readOnly: true }), layoutRepository, index);
  });

  it('leaves nothing behind for a source that is not there', async (t) => {
    const from = await startPlace(t);
    const { exitCode, stderr } = await ocictl(t, ['copy', `${from.host}/team/none:1`, 'oci:dir:1']);
    assert.equal(exitCode, 3);
    assert.match(stderr, /team\/none:1 not found/);
    assert.equal(await entriesOf(t, 'dir'), undefined);
    const noLayout = await ocictl(t, ['copy', 'oci:nowhere:1', 'oci:dir:1']);
    assert.equal(noLayout.exitCode, 3);
    assert.match(noLayout.stderr, /no OCI layout at/);
    const notKept = await ocictl(t, ['copy', 'store:none', 'oci:dir:1']);
    assert.equal(notKept.exitCode, 3);
    assert.match(notKept.stderr, /^error: No such image: none:latest\nhint: ocictl images/);
  });

  it('takes a layout away again that was made, with its directories, where nothing came into it', async (t) => {
    const { index, arm64 } = await buildDemoIndex();
    await keepImage(t, 'app:1', index, { omit: [arm64] });
    const { home } = await sandbox(t);
    await mkdir(join(home, 'there'));
    const { exitCode, stderr } = await ocictl(t, ['copy', 'store:app:1', 'oci:there/made/here:1']);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /images that are not there: linux\/arm64\n/);
    assert.deepEqual(await entriesOf(t, 'there'), []);
  });

  it('keeps a layout that was there, and one into which something came, when it fails', async (t) => {
    const from = await startPlace(t);
    const image = await imageFor('amd64', ['a', 'b', 'c', 'd', 'e', 'f']);
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, image);
    await keepImage(t, 'app:1', index, { omit: [arm64] });
    await openLayout({ directory: join((await sandbox(t)).home, 'empty'), create: true });
    assert.equal((await ocictl(t, ['copy', 'store:app:1', 'oci:empty:1'])).exitCode, 3);
    assert.deepEqual(await entriesOf(t, 'empty'), ['blobs', 'index.json', 'oci-layout']);
    // The smallest blob, which is sent last where one moves at a time.
    await moveOneBlobAtATime(t);
    const [missing] = image.blobs.map(({ descriptor }) => descriptor).sort((x, y) => x.size - y.size);
    from.proxy.fail({ path: new RegExp(`/blobs/${missing?.digest}`), status: 404 });
    assert.equal((await ocictl(t, ['copy', `${from.host}/team/app:1`, 'oci:begun:1'])).exitCode, 3);
    assert.deepEqual(await entriesOf(t, 'begun'), ['blobs', 'index.json', 'oci-layout']);
  });

  it('does not write into a directory that is something else: status 9', async (t) => {
    const { home } = await sandbox(t);
    await mkdir(join(home, 'photos'));
    await writeFile(join(home, 'photos', 'cat.jpg'), 'miau');
    await keepImage(t, 'app:1', await imageFor('amd64'));
    const { exitCode, stderr } = await ocictl(t, ['copy', 'store:app:1', 'oci:photos:1']);
    assert.equal(exitCode, 9, stderr);
    assert.match(stderr, /nothing was written to it/);
    assert.deepEqual(await entriesOf(t, 'photos'), ['cat.jpg']);
  });
});

describe('ocictl copy refuses', () => {
  it('to copy an image onto itself, whatever it is called: status 2', async (t) => {
    const { home } = await sandbox(t);
    await keepImage(t, 'app:1', await imageFor('amd64'));
    await ocictl(t, ['copy', 'store:app:1', 'oci:dir:1']);
    await symlink('dir', join(home, 'link'));
    const pairs = [
      ['store:app:1', 'store:docker.io/library/app:1'],
      ['oci:dir:1', 'oci:./dir:1'],
      ['oci:dir', 'oci:link:1'],
    ];
    for (const words of pairs) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', ...words]);
      assert.deepEqual([exitCode, stdout], [2, ''], stderr);
      assert.match(stderr, /source and destination are both/);
    }
    const place = await startPlace(t);
    await pushImage(place.registry, app, latest, await imageFor('amd64'));
    const { exitCode } = await ocictl(t, ['copy', `${place.host}/team/app`, `${place.host}/team/app:latest`]);
    assert.equal(exitCode, 2);
  });

  const digest = `sha256:${'a'.repeat(64)}`;
  const refusals: readonly (readonly [title: string, words: readonly string[], message: RegExp])[] = [
    ['a digest as destination', ['store:app', `store:other@${digest}`], /cannot write to a digest reference/],
    ['a digest of a layout as destination', ['store:app', `oci:dir@${digest}`], /cannot write to a digest reference/],
    ['a digest that is none', ['oci:dir@sha256:abc', 'oci:other'], /invalid digest length/],
    ['a tag that is none', ['store:app', 'oci:dir:_!'], /invalid tag/],
    ['a layout without a directory', ['oci:', 'oci:dir'], /names no directory/],
    ['a bad platform', ['--platform', '///', 'store:app', 'oci:dir'], /platform/],
    ['one place', ['store:app'], /missing required argument/],
  ];
  for (const [title, words, message] of refusals) {
    it(`${title}: status 2`, async (t) => {
      await keepImage(t, 'app', await imageFor('amd64'));
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', ...words]);
      assert.deepEqual([exitCode, stdout], [2, ''], stderr);
      assert.match(stderr, message);
      assert.equal(await entriesOf(t, 'dir'), undefined);
    });
  }

  it('a destination that is read-only: status 4', async (t) => {
    const { host } = await spawnServe(t, ['--memory', '--read-only']);
    await keepImage(t, 'app', await imageFor('amd64'));
    const { exitCode, stderr } = await ocictl(t, ['copy', 'store:app', `${host}/app:1`]);
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /read-only/);
    assert.match(stderr, /takes no pushes: /);
    assert.doesNotMatch(stderr, /log in/);
  });
});

/** The entries of a directory below the sandbox's home; undefined if it does not exist. */
async function entriesOf(t: TestContext, name: string): Promise<readonly string[] | undefined> {
  return readdir(join((await sandbox(t)).home, name)).catch(() => undefined);
}
