/** `save`, `load` and `copy` that are killed: no half archive under its name, no tag without its image, and the next run completes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { layoutRepository, openLayout } from '../../src/layout/layout.ts';
import { unlessUnknown } from '../../src/model/errors.ts';
import { blobsOf, childrenOf } from '../../src/model/manifest/manifest.ts';
import { parseRepositoryName, parseTag, type RepositoryName } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type Built, blobsIn, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { localStore } from '../support/local-store.ts';
import { needs, startDockerRegistry } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { sandbox } from '../support/sandbox.ts';
import { finish, killed, killsOfEach } from './killed.ts';

const layerBytes = 12_000_000;
const app = parseRepositoryName('team/app');
const one = parseTag('1');

describe('a command that is killed', () => {
  it(`${killsOfEach} times while it saves leaves the file as it was, or complete`, async (t) => {
    const { home, env } = await sandbox(t);
    const { host } = await source(t);
    const words = ['save', '-q', '--platform', 'all', '-o', 'out/a.tar', `${host}/team/app:1`];
    const out = join(home, 'out');
    await mkdir(out);
    await finish(t, words);
    const complete = await readFile(join(out, 'a.tar'));
    await killed(t, words, {
      before: (kills) =>
        kills % 2 === 0 ? rm(join(out, 'a.tar'), { force: true }) : writeFile(join(out, 'a.tar'), 'before'),
      async after(kills) {
        const found = await readFile(join(out, 'a.tar')).catch(() => undefined);
        const isOld = kills % 2 === 0 ? found === undefined : found?.toString() === 'before';
        assert.ok(isOld || found?.equals(complete), 'the file is cut off');
      },
    });
    await finish(t, words);
    assert.ok((await readFile(join(out, 'a.tar'))).equals(complete));
    assert.deepEqual(await readdir(out), ['a.tar'], 'what was not complete is removed');
    assert.deepEqual(await readdir(env['TMPDIR'] ?? ''), []);
  });

  it(`${killsOfEach} times while it loads leaves no tag in the store without its image`, async (t) => {
    const { env, store } = await sandbox(t);
    const { host, built } = await source(t);
    await finish(t, ['save', '-q', '--platform', 'all', '-o', 'a.tar', `${host}/team/app:1`]);
    const words = ['load', '-q', '-i', 'a.tar'];
    const name = parseRepositoryName(`${host.replace(':', '_')}/team/app`);
    await killed(t, words, {
      // What was loaded by a killed command stays for the next, but not what is complete.
      before: async () => {
        if (await tagged(await localStore(t), name)) await rm(store, { recursive: true });
      },
      after: async () => assertComplete(await localStore(t), name, built),
    });
    await finish(t, words);
    assert.ok(await tagged(await localStore(t), name));
    await assertComplete(await localStore(t), name, built);
    assert.deepEqual(await readdir(env['TMPDIR'] ?? ''), []);
  });

  it(`${killsOfEach} times while it copies to three places leaves none of them incomplete`, async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { home, env } = await sandbox(t);
    const { host, built } = await source(t);
    const places = join(home, 'places');
    await mkdir(places);
    const from = `${host}/team/app:1`;
    await finish(t, ['copy', '-q', from, 'oci-archive:whole.tar:1']);
    const whole = await readFile(join(home, 'whole.tar'));
    let kills = 0;
    while (kills < killsOfEach) {
      const registry = await startDockerRegistry(t, { accessLog: true });
      const remote = openRemote(t, registry.url);
      await rm(places, { recursive: true });
      await mkdir(places);
      const words = [
        'copy',
        '-q',
        from,
        `${registry.host}/team/app:1`,
        'oci:places/dir:1',
        'oci-archive:places/a.tar:1',
      ];
      const check = async (): Promise<void> => {
        await assertComplete(remote, app, built);
        const hasLayout = (await readdir(places)).includes('dir');
        // A layout that was just begun has no oci-layout yet, so it is none.
        const layout =
          hasLayout && (await openLayout({ directory: join(places, 'dir'), readOnly: true }).catch(() => undefined));
        if (layout) await assertComplete(layout, layoutRepository, built);
        const archive = await readFile(join(places, 'a.tar')).catch(() => undefined);
        assert.ok(archive === undefined || archive.equals(whole), 'the archive is cut off');
      };
      const here = await killed(t, words, { after: check, upTo: Math.min(5, killsOfEach - kills) });
      kills += here;
      await finish(t, words);
      await check();
      assert.deepEqual((await readdir(places)).sort(), ['a.tar', 'dir']);
      assert.ok((await tagged(remote, app)) && (await readFile(join(places, 'a.tar'))).equals(whole));
      const puts = registry.requests().filter(({ method, status }) => method === 'PUT' && status === 201);
      const uploads = puts.filter(({ path }) => path.includes('/blobs/uploads/')).length;
      const blobs = blobsIn(built).length;
      assert.ok(uploads <= blobs + here, `${uploads} uploads of ${blobs} blobs in ${here + 1} runs`);
      await registry.stop();
    }
    assert.deepEqual(await readdir(env['TMPDIR'] ?? ''), []);
  });
});

/** A registry with an index of two images, each with a layer of its own and one that both have. */
async function source(t: TestContext): Promise<{ readonly host: string; readonly built: Built }> {
  const { host, registry } = await startServe(t);
  const shared = { files: { shared: randomBytes(layerBytes) }, compression: 'none' } as const;
  const images = await Promise.all(
    ['amd64', 'arm64'].map((architecture) => {
      const own = { files: { [architecture]: randomBytes(layerBytes) }, compression: 'none' } as const;
      return buildImage({ platform: { os: 'linux', architecture }, layers: [shared, own] });
    }),
  );
  const built = await buildIndex(images);
  await pushImage(registry, app, one, built);
  return { host, built };
}

async function tagged(registry: Registry, repo: RepositoryName): Promise<boolean> {
  return (await unlessUnknown(registry.statManifest(repo, one))) !== undefined;
}

/** Asserts that a tag, if it is there, has everything below it. */
async function assertComplete(registry: Registry, repo: RepositoryName, built: Built): Promise<void> {
  const root = await unlessUnknown(registry.getManifest(repo, one));
  if (!root) return;
  assert.equal(root.descriptor.digest, built.descriptor.digest);
  for (const { digest } of childrenOf(root.view)) {
    const child = await registry.getManifest(repo, digest);
    for (const blob of blobsOf(child.view)) {
      const content = await registry.getBlob(repo, blob.digest, { verify: true });
      await content.drainTo({ write: async () => {} });
    }
  }
}
