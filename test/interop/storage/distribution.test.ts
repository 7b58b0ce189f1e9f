import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { readContent } from '../../../src/registry/content.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { madeBytes } from '../../storage/stores.ts';
import { type Built, blobsIn, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { distributionStorage } from '../../support/programs/versitygw.ts';
import { type DockerRegistryOptions, needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const repo = parseRepositoryName('team/app');
const stores = s3Drivers();

interface Place {
  driver(): Promise<Driver>;
  readonly theirs: DockerRegistryOptions;
}

const places: Readonly<Record<string, (t: TestContext, distribution: 2 | 3) => Promise<Place>>> = {
  async bucket(_, distribution) {
    const prefix = `shared-with-${distribution}`;
    return {
      driver: () => stores.open({ prefix }),
      theirs: { distribution, storage: distributionStorage(await stores.gateway(), prefix) },
    };
  },
  async directory(t, distribution) {
    const root = await temporaryDirectory(t);
    return { driver: () => openFilesystemDriver({ root }), theirs: { distribution, root } };
  },
};

describe('a store that distribution and we use in turns', () => {
  for (const distribution of [2, 3] as const) {
    for (const [kind, place] of Object.entries(places)) {
      it(`is the same to both: distribution ${distribution}, in a ${kind}`, async (t) => {
        if (!needs(t, 'versitygw', distribution === 2 ? 'docker-registry' : 'registry')) return;
        const { driver, theirs } = await place(t, distribution);
        const pushed: [string, Built][] = [];
        for (const [turn, who] of ['theirs', 'ours', 'theirs', 'ours'].entries()) {
          const built = await image(`${who} ${turn}`);
          const tag = `turn-${turn}`;
          const theirRegistry = await startDockerRegistry(t, theirs);
          const ourServer = await startServe(t, { registry: createStorage({ driver: await driver() }) });
          const [a, b] = [openRemote(t, theirRegistry.url), openRemote(t, ourServer.url)];
          await pushImage(who === 'theirs' ? a : b, repo, parseTag(tag), built);
          pushed.push([tag, built]);
          for (const registry of [a, b]) {
            for (const [name, whole] of pushed) await assertPulled(registry, name, whole);
          }
          await theirRegistry.stop();
        }
      });
    }
  }
});

async function assertPulled(registry: Registry, tag: string, built: Built): Promise<void> {
  assert.equal((await registry.statManifest(repo, parseTag(tag))).digest, built.descriptor.digest);
  for (const { manifest, descriptor } of [built, ...built.children]) {
    const pulled = await registry.getManifest(repo, descriptor.digest);
    assert.deepEqual(Buffer.from(pulled.bytes), Buffer.from(manifest.bytes));
  }
  for (const { descriptor, source } of blobsIn(built)) {
    const bytes = await readContent(await registry.getBlob(repo, descriptor), 64 << 20);
    const expected: Uint8Array[] = [];
    for await (const chunk of await source.open(0)) expected.push(Uint8Array.from(chunk));
    assert.ok(Buffer.from(bytes).equals(Buffer.concat(expected)), descriptor.digest);
  }
}

/** For two platforms; one layer is larger than two parts. */
async function image(id: string): Promise<Built> {
  const large = { files: { large: madeBytes(id, 11_000_000) }, compression: 'none' } as const;
  const of = (architecture: string) =>
    buildImage({ platform: { os: 'linux', architecture }, layers: [large, { files: { architecture, id } }] });
  return buildIndex([await of('amd64'), await of('arm64')], { annotations: { id } });
}
