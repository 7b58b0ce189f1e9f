import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { imageWith, v2 } from '../../storage/stores.ts';
import { ocictl } from '../../support/command.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

/** A store with a sound tag in each of two repositories, and a symbolic link in place of further tags. */
async function linked(t: TestContext) {
  const { home } = await sandbox(t);
  const root = join(home, 'linked');
  const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
  for (const name of ['team/app', 'team/other']) {
    const repo = parseRepositoryName(name);
    const image = await imageWith(registry, repo, name);
    await registry.pushManifest(repo, image.raw, { tags: [parseTag('1')] });
  }
  const at = (...parts: string[]) => join(root, v2, 'repositories', ...parts);
  await symlink('1', at('team/app/_manifests/tags/alias'));
  await symlink('nowhere', at('team/app/_manifests/tags/lost'));
  await mkdir(at('team/app/_manifests/tags/inner/current'), { recursive: true });
  await symlink('../../1/current/link', at('team/app/_manifests/tags/inner/current/link'));
  return { root, at, home };
}

const storage = (t: TestContext, ...words: string[]) => ocictl(t, ['storage', ...words]);

describe('symbolic links in place of tags', () => {
  it('are told by stats, which goes on', async (t) => {
    const { root } = await linked(t);
    const { exitCode, stdout, stderr } = await storage(t, 'stats', '--root', root, '--json');
    assert.equal(exitCode, 0, stderr);
    const { tags, repositories, unreadable } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([tags, repositories, unreadable], [2, 2, ['team/app:alias', 'team/app:lost']]);
    assert.match(
      (await storage(t, 'stats', '--root', root)).stderr,
      /team\/app:alias is not counted, because a symbolic/,
    );
  });

  it('are damage for fsck, which a repair removes only where it can compare', async (t) => {
    const { root } = await linked(t);
    const { exitCode, stdout } = await storage(t, 'fsck', '--root', root);
    assert.equal(exitCode, 10);
    for (const tag of ['alias', 'inner', 'lost'])
      assert.match(stdout, new RegExp(`^Damaged: tag team/app:${tag}$`, 'm'));
    assert.match(stdout, /^Checked: 2 repositories, 5 tags/m);
  });

  it('keep what they could point at from a collection, which ends well', async (t) => {
    const { root } = await linked(t);
    const { exitCode, stderr } = await storage(t, 'gc', '--root', root, '--untagged', '--grace', '0');
    assert.equal(exitCode, 0, stderr);
  });

  it('are left behind by a copy, which says so', async (t) => {
    const { root, home } = await linked(t);
    const { exitCode, stdout, stderr } = await storage(t, 'copy', root, join(home, 'copy'));
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^Left behind: 3 tags that are damaged/m);
    assert.match(stdout, /and 2 tags of 2 repositories/);
  });
});

describe('a symbolic link in place of a part of a repository', () => {
  it('is told by stats and fsck, which go on; gc removes nothing', async (t) => {
    const { root, at, home } = await linked(t);
    await rm(at('team/app/_manifests'), { recursive: true });
    await symlink(home, at('team/app/_manifests'));
    const counted = await storage(t, 'stats', '--root', root);
    assert.equal(counted.exitCode, 0, counted.stderr);
    assert.match(counted.stderr, /team\/app is not counted/);
    assert.match(counted.stdout, /team\/other/);
    const checked = await storage(t, 'fsck', '--root', root);
    assert.equal(checked.exitCode, 10);
    assert.match(checked.stdout, /^Damaged: repository team\/app\nChecked: 2 repositories, 1 tag/m);
    assert.match(checked.stderr, /_manifests is a symbolic link/);
    const collected = await storage(t, 'gc', '--root', root, '--grace', '0');
    assert.notEqual(collected.exitCode, 0);
    await rename(at('team/other'), at('team/moved'));
    assert.equal((await storage(t, 'stats', '--root', root)).exitCode, 0);
  });

  it('is told by a copy, which brings the rest, and ends with 10', async (t) => {
    const { root, at, home } = await linked(t);
    await rm(at('team/app/_manifests'), { recursive: true });
    await symlink(home, at('team/app/_manifests'));
    const to = join(home, 'copy');
    const { exitCode, stdout, stderr } = await storage(t, 'copy', root, to);
    assert.equal(exitCode, 10);
    assert.match(stdout, /^Not readable: team\/app\nCopied: 6 blobs .* and 1 tag of 2 repositories/m);
    assert.match(stderr, /_manifests is a symbolic link/);
    assert.match(stderr, /1 part that cannot be read of the source was not copied/);
    const { unreadable } = JSON.parse((await storage(t, 'copy', root, to, '--json')).stdout) as Record<string, unknown>;
    assert.deepEqual(unreadable, ['team/app']);
    const counted = JSON.parse((await storage(t, 'stats', '--root', to, '--json')).stdout) as Record<string, unknown>;
    assert.equal(counted['tags'], 1);
  });
});

describe('a symbolic link that hides whole repositories, or what they are made of', () => {
  const hex = (at: (...parts: string[]) => string) => readdir(at('team/app/_manifests/revisions/sha256'));
  for (const [name, place] of [
    ['a repository', async () => 'team/app'],
    ['a group of repositories', async () => 'team'],
    ['all manifests', async () => 'team/app/_manifests/revisions/sha256'],
    ['a manifest', async (at) => `team/app/_manifests/revisions/sha256/${(await hex(at))[0]}`],
  ] as const satisfies readonly (readonly [string, (at: (...parts: string[]) => string) => Promise<string>])[]) {
    it(`(${name}) ends a collection before anything is removed, and is told by fsck, stats and copy`, async (t) => {
      const { root, at, home } = await linked(t);
      const part = await place(at);
      await rename(at(part), join(home, 'moved'));
      await symlink(join(home, 'moved'), at(part));
      const collected = await storage(t, 'gc', '--root', root, '--grace', '0', '--untagged');
      assert.equal(collected.exitCode, 10);
      assert.match(collected.stderr, /is a symbolic link, which is not followed within a store/);
      assert.equal(
        (await readdir(join(root, v2, 'blobs/sha256'), { recursive: true })).filter((file) => /data$/.test(file))
          .length,
        6,
      );
      const repository = part.split('/_')[0] ?? part;
      const checked = await storage(t, 'fsck', '--root', root);
      assert.equal(checked.exitCode, 10);
      assert.match(checked.stdout, new RegExp(`^Damaged: repository ${repository}$`, 'm'));
      const counted = JSON.parse((await storage(t, 'stats', '--root', root, '--json')).stdout) as {
        unreadable: string[];
      };
      assert.ok(counted.unreadable.includes(repository));
      const copied = await storage(t, 'copy', root, join(home, 'copy'));
      assert.equal(copied.exitCode, 10);
      assert.match(copied.stdout, new RegExp(`^Not readable: ${repository}$`, 'm'));
    });
  }
});

describe('a socket in place of a tag', () => {
  it('is damage, as a symbolic link is', { skip: process.platform === 'win32' && 'has no such files' }, async (t) => {
    const { root, at, home } = await linked(t);
    await rm(at('team/app/_manifests/tags/1/current/link'));
    const server = createServer();
    t.after(() => server.close());
    // The path of a socket is short.
    const short = await temporaryDirectory(t);
    await new Promise<void>((resolve) => server.listen(join(short, 's'), resolve));
    await rename(join(short, 's'), at('team/app/_manifests/tags/1/current/link'));
    assert.match((await storage(t, 'fsck', '--root', root)).stdout, /^Damaged: tag team\/app:1$/m);
    const copied = await storage(t, 'copy', root, join(home, 'copy'));
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.match(copied.stdout, /^Left behind: 4 tags/m);
    assert.equal((await storage(t, 'gc', '--root', root, '--grace', '0', '--untagged')).exitCode, 0);
  });
});
