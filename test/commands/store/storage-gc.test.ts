import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newProcessId } from '../../../src/files/process-id.ts';
import { filesBelow } from '../../storage/stores.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { type Built, buildArtifact, buildImage, buildIndex } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';

const image = (name: string) => buildImage({ layers: [{ files: { [name]: name.repeat(2_000) } }] });
const gc = (t: TestContext, root: string, ...words: string[]) => ocictl(t, ['storage', 'gc', '--root', root, ...words]);

async function served(t: TestContext) {
  const root = join((await sandbox(t)).home, 'served');
  const server = await spawnServe(t, ['--root', root]);
  const push = async (built: Built, tag: string): Promise<void> => {
    await keepImage(t, `app:${tag}`, built);
    const { exitCode, stderr } = await ocictl(t, ['copy', `store:app:${tag}`, `${server.host}/team/app:${tag}`]);
    assert.equal(exitCode, 0, stderr);
  };
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    server.child.kill(signal);
    await server.result;
  };
  return { ...server, root, push, stop };
}

async function upload(url: string, built: Awaited<ReturnType<typeof image>>): Promise<void> {
  for (const { descriptor, source } of built.blobs) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await source.open(0)) chunks.push(chunk);
    const begun = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    const at = new URL(begun.headers.get('location') ?? '', url);
    at.searchParams.set('digest', descriptor.digest);
    assert.equal((await fetch(at, { method: 'PUT', body: Buffer.concat(chunks) })).status, 201);
  }
}

async function putManifest(url: string, built: Built): Promise<number> {
  const { mediaType, bytes } = built.manifest;
  const headers = { 'content-type': mediaType };
  return (await fetch(`${url}/v2/team/app/manifests/later`, { method: 'PUT', headers, body: Buffer.from(bytes) }))
    .status;
}

describe('ocictl storage gc', () => {
  it('frees deleted content and says why it keeps the rest, beside a running serve and after it', async (t) => {
    const { host, root, push, stop } = await served(t);
    const [gone, kept] = [await image('gone'), await image('kept')];
    await push(gone, 'gone');
    await push(kept, 'kept');
    assert.equal((await ocictl(t, ['delete', '--yes', `${host}/team/app@${gone.descriptor.digest}`])).exitCode, 0);
    const young = await gc(t, root);
    assert.equal(young.exitCode, 0, young.stderr);
    assert.equal(young.stdout, 'Total reclaimed space: 0B\n');
    assert.match(young.stderr, /kept 3 blobs \(.*\): they were written within the last 1h \(--grace\)/);
    const used = await gc(t, root, '--grace', '0');
    assert.match(used.stderr, /kept 3 blobs \(.*\): a running pull, push, copy or serve needs them/);
    await stop();
    const planned = await gc(t, root, '--grace', '0', '--dry-run', '--json');
    assert.equal(planned.exitCode, 12, planned.stderr);
    const freed = await gc(t, root, '--grace', '0', '--json');
    assert.equal(freed.exitCode, 0, freed.stderr);
    assert.deepEqual(JSON.parse(freed.stdout), { ...JSON.parse(planned.stdout), dryRun: false });
    assert.equal((JSON.parse(freed.stdout) as { deleted: unknown[] }).deleted.length, 3);
    const again = await spawnServe(t, ['--root', root]);
    assert.equal((await ocictl(t, ['pull', `${again.host}/team/app:kept`])).exitCode, 0);
  });

  it('removes untagged manifests only with --untagged, except children and referrers of remaining ones', async (t) => {
    const { host, url, root, push, stop } = await served(t);
    const [old, child, signed] = [await image('old'), await image('child'), await image('signed')];
    await push(old, '1');
    await push(await buildIndex([child]), '1');
    await push(signed, '2');
    const signature = await buildArtifact({ artifactType: 'application/vnd.test', subject: signed.descriptor });
    const ofOld = await buildArtifact({ artifactType: 'application/vnd.test', subject: old.descriptor });
    for (const [tag, built] of Object.entries({ signature, ofOld })) {
      await push(built, tag);
      assert.equal((await ocictl(t, ['delete', `${host}/team/app:${tag}`])).exitCode, 0);
    }
    await stop();
    assert.deepEqual(JSON.parse((await gc(t, root, '--grace', '0', '--json')).stdout).untagged, []);
    const { stdout } = await gc(t, root, '--grace', '0', '--untagged', '--json');
    const names = [old, ofOld].map(({ descriptor }) => `team/app@${descriptor.digest}`);
    assert.deepEqual((JSON.parse(stdout) as { untagged: string[] }).untagged.sort(), names.sort());
    assert.equal((await gc(t, root, '--grace', '0', '--untagged')).stdout, 'Total reclaimed space: 0B\n');
    const again = await spawnServe(t, ['--root', root]);
    assert.equal((await ocictl(t, ['pull', '--platform', 'all', `${again.host}/team/app:1`])).exitCode, 0);
    const referrers = await fetch(`${again.url}/v2/team/app/referrers/${signed.descriptor.digest}`);
    assert.equal(((await referrers.json()) as { manifests: unknown[] }).manifests.length, 1);
    assert.notEqual(again.url, url);
  });

  it('keeps uploaded blobs until their manifest comes: beside a running serve, and after it was killed', async (t) => {
    const { url, root, stop } = await served(t);
    const built = await image('later');
    await upload(url, built);
    assert.equal((await gc(t, root, '--grace', '0', '--untagged')).exitCode, 0);
    assert.equal(await putManifest(url, built), 201);
    const other = await image('later still');
    await upload(url, other);
    await stop('SIGKILL');
    const again = await spawnServe(t, ['--root', root]);
    assert.equal((await gc(t, root, '--untagged')).exitCode, 0);
    assert.equal(await putManifest(again.url, other), 201);
  });

  it('keeps blobs that a killed serve has reported as present, however old they are', async (t) => {
    const { url, root, push, stop } = await served(t);
    const built = await image('old');
    await push(built, '1');
    await ocictl(t, ['delete', '--yes', `${new URL(url).host}/team/app@${built.descriptor.digest}`]);
    await stop();
    for (const file of await filesBelow(root)) await utimes(join(root, file), new Date(0), new Date(0));
    const again = await spawnServe(t, ['--root', root]);
    for (const { descriptor } of built.blobs) {
      const { status } = await fetch(`${again.url}/v2/team/app/blobs/${descriptor.digest}`, { method: 'HEAD' });
      assert.equal(status, 200);
    }
    again.child.kill('SIGKILL');
    await again.result;
    assert.equal((await gc(t, root)).exitCode, 0);
    const third = await spawnServe(t, ['--root', root]);
    assert.equal(await putManifest(third.url, built), 201);
  });

  it('leaves a directory alone that holds no registry, and names the one that does', async (t) => {
    const { root, push, stop } = await served(t);
    await push(await image('a'), '1');
    await stop();
    const { home } = await sandbox(t);
    const other = join(home, 'other');
    await mkdir(join(other, 'tmp'), { recursive: true });
    await mkdir(join(other, 'blobs/sha256'), { recursive: true });
    for (const file of ['tmp/mine', 'blobs/sha256/mine']) {
      await writeFile(join(other, file), 'x');
      await utimes(join(other, file), new Date(0), new Date(0));
    }
    const kept = async () => (await filesBelow(other)).concat(await filesBelow(root));
    const before = await kept();
    for (const [wrong, told] of [
      [other, /holds no registry/],
      [join(root, 'docker/registry/v2/blobs'), new RegExp(`did you mean --root ${root}\\?`)],
      [join(home, 'nowhere'), /there is no directory .*\nhint: name the directory that serve has as --root/],
    ] as const) {
      const refused = await gc(t, wrong, '--grace', '0', '--untagged');
      assert.equal(refused.exitCode, 10);
      assert.match(refused.stderr, told);
    }
    assert.deepEqual(await kept(), before);
    for (const words of [['gc'], ['nothing', '--root', root], ['gc', '--root', root, '--grace', 'soon']]) {
      assert.equal((await ocictl(t, ['storage', ...words])).exitCode, 2, words.join(' '));
    }
  });

  it('serve clears away the drafts of the dead when it starts, and nothing strange', async (t) => {
    const { root, stop } = await served(t);
    await stop();
    await mkdir(join(root, 'tmp'), { recursive: true });
    const gone = spawnSync(process.execPath, ['--version']).pid;
    const dead = newProcessId().replace(/^\d+/, String(gone));
    for (const name of [`${dead}.1`, 'strange']) await writeFile(join(root, 'tmp', name), 'x');
    await spawnServe(t, ['--root', root]);
    assert.deepEqual(await readdir(join(root, 'tmp')), ['strange']);
  });
});
