/** Runs of `sync` that are killed: no tag without its image, and what arrived is not sent again. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unlessUnknown } from '../../src/model/errors.ts';
import { blobsOf, childrenOf } from '../../src/model/manifest/manifest.ts';
import { parseRepositoryName, parseTag, type RepositoryName, type Tag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { ocictl, spawnOcictl } from '../support/command.ts';
import { buildImage, buildIndex, pushImage } from '../support/images.ts';
import { type DockerRegistry, needs, startDockerRegistry } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { sandbox } from '../support/sandbox.ts';

const killsOfSync = 20;
const layerBytes = 2_000_000;
const repos = ['team/a', 'team/b', 'team/c'].map((name) => parseRepositoryName(name));
const tags = ['1', '2', '3', '4'].map((name) => parseTag(name));

describe('a sync that is killed', () => {
  it(`at ${killsOfSync} random moments leaves no tag without its image, and goes on where it was`, async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const source = await startServe(t);
    await fill(source.registry);
    await writeFile(join((await sandbox(t)).home, 'lock.json'), '{"version": 1}');
    let [usualMs, killed] = [0, 0];
    while (killed < killsOfSync) {
      let kills = 0;
      const destination = await startDockerRegistry(t, { accessLog: true });
      await writeFile(
        join((await sandbox(t)).home, 'mirror.yaml'),
        `to: ${destination.host}/{{.Path}}\nsources: [{from: '${source.host}/team/*'}]`,
      );
      // The first run is not killed: it shows how long one takes on this machine.
      while (killed < killsOfSync) {
        const began = performance.now();
        const running = await spawnOcictl(t, ['sync', '-q', '--lock', 'lock.json', 'mirror.yaml']);
        const afterMs = usualMs === 0 ? 60_000 : usualMs * (0.2 + Math.random());
        const timer = setTimeout(() => running.child.kill('SIGKILL'), afterMs);
        const { signal, exitCode, stderr } = await running.result;
        clearTimeout(timer);
        await assertTagsComplete(openRemote(t, destination.url));
        if (signal !== 'SIGKILL') {
          assert.equal(exitCode, 0, stderr);
          if (usualMs === 0) usualMs = performance.now() - began;
          break;
        }
        killed += 1;
        kills += 1;
      }
      await complete(t, destination, kills);
      await destination.stop();
    }
  });
});

/** Ends what was killed. @param kills How often; the upload that is under way then may be sent once more. */
async function complete(t: TestContext, destination: DockerRegistry, kills: number): Promise<void> {
  const { exitCode, stderr } = await ocictl(t, ['sync', '-q', '--lock', 'lock.json', 'mirror.yaml']);
  assert.equal(exitCode, 0, stderr);
  const remote = openRemote(t, destination.url);
  for (const repo of repos) assert.deepEqual(await tagsOf(remote, repo), tags);
  await assertTagsComplete(remote);
  const puts = destination.requests().filter(({ method, status }) => method === 'PUT' && status === 201);
  const uploads = puts.filter(({ path }) => path.includes('/blobs/uploads/')).length;
  assert.ok(uploads <= blobs + kills, `${uploads} uploads of ${blobs} blobs in ${kills + 1} runs`);
}

/** Of each repository: a layer that all images share, a layer and a config of each image. */
const blobs = repos.length * (1 + tags.length * 2 * 2);

async function fill(registry: Registry): Promise<void> {
  for (const repo of repos) {
    for (const tag of tags) {
      const images = await Promise.all(
        ['a', 'b'].map((name) =>
          buildImage({
            layers: [
              { files: { shared: `${repo}` }, compression: 'none' },
              { files: { [name]: randomBytes(layerBytes) }, compression: 'none' },
            ],
          }),
        ),
      );
      await pushImage(registry, repo, tag, await buildIndex(images));
    }
  }
}

async function tagsOf(registry: Registry, repo: RepositoryName): Promise<Tag[]> {
  const found: Tag[] = [];
  const list = async (): Promise<void> => {
    for await (const tag of registry.tags(repo)) found.push(tag);
  };
  await unlessUnknown(list());
  return found;
}

async function assertTagsComplete(registry: Registry): Promise<void> {
  for (const repo of repos) {
    for (const tag of await tagsOf(registry, repo)) {
      const { view } = await registry.getManifest(repo, tag);
      for (const { digest } of childrenOf(view)) {
        const child = await registry.getManifest(repo, digest);
        for (const blob of blobsOf(child.view)) await registry.statBlob(repo, blob.digest);
      }
    }
  }
}
