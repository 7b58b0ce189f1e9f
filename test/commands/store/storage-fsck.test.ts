import assert from 'node:assert/strict';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Digest, digestHex } from '../../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { blobFile, imageWith, manifestOf, v2 } from '../../storage/stores.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { sandbox } from '../../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const nothing = `sha256:${'0'.repeat(64)}`;

/** A store with one fault of each kind, and a whole copy of it. */
async function broken(t: TestContext) {
  const { home } = await sandbox(t);
  const [root, whole] = [join(home, 'broken'), join(home, 'whole')];
  const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
  const put = async (seed: string, tags: string[], fields = {}) => {
    const image = await imageWith(registry, app, seed, fields);
    const { digest } = await registry.pushManifest(app, image.raw, { tags: tags.map((tag) => parseTag(tag)) });
    return { ...image, digest };
  };
  const [cut, rotten, lost, child] = [
    await put('cut', ['cut', 'same']),
    await put('rotten', ['rotten']),
    await put('lost', ['lost']),
    await put('child', []),
  ];
  const bytes = (await registry.getManifest(app, child.digest)).bytes.length;
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: child.digest, size: bytes };
  const indexType = 'application/vnd.oci.image.index.v1+json';
  await registry.pushManifest(app, manifestOf({ manifests: [entry] }, indexType), { tags: [parseTag('index')] });
  await cp(root, whole, { recursive: true });
  const at = (...parts: string[]) => join(root, v2, 'repositories', app, ...parts);
  const hex = (digest: Digest) => join('sha256', digestHex(digest));
  await writeFile(blobFile(root, cut.layer.digest), 'short');
  await writeFile(blobFile(root, rotten.layer.digest), Buffer.alloc(rotten.layer.size));
  await rm(at('_layers', hex(rotten.config.digest)), { recursive: true });
  await rm(blobFile(root, lost.digest));
  await rm(blobFile(root, child.config.digest));
  await rm(at('_manifests/revisions', hex(child.digest)), { recursive: true });
  await cp(at('_manifests/tags/cut'), at('_manifests/tags/nothing'), { recursive: true });
  await writeFile(at('_manifests/tags/nothing/current/link'), nothing);
  await cp(at('_manifests/tags/cut'), at('_manifests/tags/damaged'), { recursive: true });
  await writeFile(at('_manifests/tags/damaged/current/link'), 'x');
  await cp(at('_layers', hex(cut.layer.digest)), at('_layers/sha256', '0'.repeat(64)), { recursive: true });
  await writeFile(at('_layers/sha256', '0'.repeat(64), 'link'), nothing);
  return { root, whole, cut, rotten, lost, child };
}

const fsck = (t: TestContext, root: string, ...words: string[]) =>
  ocictl(t, ['storage', 'fsck', '--root', root, ...words]);

describe('ocictl storage fsck', () => {
  it('names what is wrong by repository and tag, and changes nothing', async (t) => {
    const { root, whole, cut, rotten, lost, child } = await broken(t);
    const sound = await fsck(t, whole, '--bytes');
    assert.equal(sound.exitCode, 0, sound.stderr);
    assert.match(sound.stdout, /^Checked: 1 repository, 5 tags, 5 manifests, 13 blobs \(.*\)\n$/);
    const before = await readdir(root, { recursive: true });
    const { exitCode, stdout, stderr } = await fsck(t, root, '--bytes');
    assert.equal(exitCode, 10, stderr);
    assert.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .slice(0, -1)
        .map((line) => line.replace(/ \([\d.]+k?B\)/, ''))
        .sort(),
      [
        `Damaged: layer ${cut.layer.digest} of team/app:cut, team/app:same`,
        `Damaged: layer ${rotten.layer.digest} of team/app:rotten`,
        'Damaged: tag team/app:damaged',
        `Missing: config ${rotten.config.digest} of team/app:rotten`,
        `Missing: manifest ${child.digest} of team/app:index`,
        `Missing: manifest ${lost.digest} of team/app:lost`,
        `Points at nothing: link ${nothing} of team/app`,
        `Points at nothing: link ${child.config.digest} of team/app`,
        'Points at nothing: tag team/app:nothing',
      ].sort(),
    );
    assert.match(stderr, /9 faults in /);
    const quick = JSON.parse((await fsck(t, root, '--json')).stdout) as { faults: number };
    assert.equal(quick.faults, 8, 'bytes are not read');
    assert.deepEqual(await readdir(root, { recursive: true }), before);
  });

  it('--repair removes what points at nothing, and --from fetches the rest', async (t) => {
    const { root, whole, lost } = await broken(t);
    const origin = await spawnServe(t, ['--root', whole]);
    const fetched = await fsck(t, root, '--bytes', '--repair', '--from', origin.host, '--json');
    const { found } = JSON.parse(fetched.stdout) as {
      found: { kind: string; repaired: string | null; names: string[] }[];
    };
    assert.deepEqual(
      found.filter(({ repaired }) => repaired === null).map(({ names }) => names),
      [['team/app:nothing']],
      'the origin does not have it either',
    );
    assert.equal(fetched.exitCode, 10);
    const removed = await fsck(t, root, '--bytes', '--repair');
    assert.equal(removed.exitCode, 0, removed.stderr);
    assert.match(removed.stdout, /^Removed: tag team\/app:nothing\nChecked: .*; repaired: 1 fault\n$/);
    assert.equal((await fsck(t, root, '--bytes')).exitCode, 0);
    const server = await spawnServe(t, ['--root', root]);
    for (const tag of ['cut', 'rotten', 'lost', 'index']) {
      const { exitCode, stderr } = await ocictl(t, ['copy', `${server.host}/team/app:${tag}`, 'oci:out']);
      assert.equal(exitCode, 0, stderr);
    }
    await rm(blobFile(root, lost.digest));
    assert.match((await fsck(t, root, '--repair')).stdout, /Removed: manifest .* of team\/app:lost\n/);
    assert.equal((await fsck(t, root)).exitCode, 0);
  });

  it('refuses options of other actions, and a --from that is no registry', async (t) => {
    const { root } = await broken(t);
    for (const words of [['--untagged'], ['--from', 'localhost:1'], ['--repair', '--from', 'nonsense']]) {
      assert.equal((await fsck(t, root, ...words)).exitCode, 2, words.join(' '));
    }
  });
});

describe('ocictl storage copy', () => {
  it('--dry-run tells what a directory that is still to be made would get, and does not make it', async (t) => {
    const { whole } = await broken(t);
    const to = `${whole}-copy`;
    const { exitCode, stdout, stderr } = await ocictl(t, ['storage', 'copy', whole, to, '--dry-run']);
    assert.equal(exitCode, 12, stderr);
    assert.match(stdout, /^Would copy: 13 blobs .* of 1 repository\n$/);
    await assert.rejects(readdir(to), { code: 'ENOENT' });
  });
});
