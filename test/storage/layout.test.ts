import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Digest, digestBytes, digestHex } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag, type RepositoryName } from '../../src/model/reference/reference.ts';
import { manifestEnumerator } from '../../src/registry/extensions.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { all, blobFile, failsWith, madeBytes, openStore, pushBytes, readBlob, repo, text, v2 } from './stores.ts';

const latest = parseTag('latest');

describe('a directory that distribution wrote', () => {
  it('is read: tags, manifest, blobs', async (t) => {
    const { registry, manifest, layer } = await distributionTree(t);
    assert.deepEqual(await all(registry.repositories()), [repo]);
    assert.deepEqual(await all(registry.tags(repo)), [latest]);
    const got = await registry.getManifest(repo, latest);
    assert.equal(got.descriptor.digest, manifest);
    assert.equal(got.mediaType, mediaTypes.dockerManifest);
    assert.deepEqual(await readBlob(registry, repo, layer), Buffer.from(madeBytes('layer', 5_000)));
    assert.deepEqual(await all(registry.extension(manifestEnumerator)?.manifests(repo) ?? emptyList()), [manifest]);
  });

  it('may keep a sha512 blob under sha256: the link is followed, and the bytes are compared with the requested digest', async (t) => {
    const { root, registry } = await distributionTree(t);
    const bytes = madeBytes('sha512', 5_000);
    const [asked, stored] = [await digestBytes(bytes, 'sha512'), await digestBytes(bytes)];
    await put(blobFile(root, stored), bytes);
    await put(repoFile(root, `_layers/sha512/${digestHex(asked)}/link`), stored);
    assert.deepEqual(await registry.statBlob(repo, asked), {
      mediaType: mediaTypes.octetStream,
      digest: asked,
      size: 5_000,
    });
    assert.deepEqual(await readBlob(registry, repo, asked), Buffer.from(bytes));
    await put(blobFile(root, stored), madeBytes('damaged', 5_000));
    await assert.rejects(readBlob(registry, repo, asked), failsWith('STORAGE_DAMAGED'));
  });

  it('has links that hold no digest reported by name', async (t) => {
    const { root, registry, layer } = await distributionTree(t);
    const names = (error: { message: string }): void => assert.match(error.message, /_layers\/sha256\/.*link/);
    for (const content of ['', 'garbage', '../../../../etc/passwd', 'sha256:../../x', 'x'.repeat(10_000)]) {
      await put(repoFile(root, `_layers/sha256/${digestHex(layer)}/link`), content);
      await assert.rejects(registry.statBlob(repo, layer), failsWith('STORAGE_DAMAGED', names), content.slice(0, 30));
    }
    await put(repoFile(root, '_manifests/tags/latest/current/link'), 'sha256:short');
    await assert.rejects(registry.getManifest(repo, latest), failsWith('STORAGE_DAMAGED'));
    const bytes = madeBytes('layer', 5_000);
    await pushBytes(registry, repo, bytes);
    assert.deepEqual(await readBlob(registry, repo, layer), Buffer.from(bytes));
  });

  it('may hold other things, which are passed over', async (t) => {
    const { root, registry, manifest } = await distributionTree(t);
    await put(repoFile(root, '_manifests/tags/-bad-/current/link'), manifest);
    await put(repoFile(root, '_manifests/tags/empty/index/sha256/x/link'), manifest);
    await put(repoFile(root, '_manifests/revisions/sha256/nonsense/link'), manifest);
    await put(join(root, v2, 'repositories/UPPER/_manifests/x'), '');
    await put(join(root, v2, 'repositories/stray-file'), '');
    await put(join(root, v2, 'blobs/sha256/zz/nonsense/data'), '');
    assert.deepEqual(await all(registry.tags(repo)), [latest]);
    assert.deepEqual(await all(registry.repositories()), [repo]);
  });
});

describe('repositories', () => {
  const names = ['a', 'a-b', 'a-b/c', 'a.b', 'a/b', 'a/b/c', 'a/z', 'a0', 'a_b', 'b', 'lib/x', 'z/y/x'];

  async function filled(t: TestContext): Promise<Registry> {
    const { registry } = await openStore(t);
    for (const name of [...names].reverse()) await pushBytes(registry, parseRepositoryName(name), text('x'));
    return registry;
  }

  it('come in the order of their whole names, from any point on', async (t) => {
    const registry = await filled(t);
    assert.deepEqual(await all(registry.repositories()), [...names].sort());
    for (const after of [...names, 'a/', 'a-', 'a/a', 'lib', 'zz', '']) {
      const expected = names.filter((name) => name > after).sort();
      assert.deepEqual(await all(registry.repositories({ after })), expected, `after ${after}`);
      assert.deepEqual(await all(registry.repositories({ after, limit: 2 })), expected.slice(0, 2), `after ${after}`);
    }
    assert.deepEqual(await all(registry.repositories({ limit: 0 })), []);
  });

  it('are read as far as the caller goes', async (t) => {
    const { driver } = await openStore(t);
    let listed = 0;
    const counting = {
      ...driver,
      list: async (...args: Parameters<typeof driver.list>) => {
        listed += 1;
        return await driver.list(...args);
      },
    };
    const registry = createStorage({ driver: counting });
    for (let i = 0; i < 20; i += 1) await pushBytes(registry, parseRepositoryName(`d${i}/r`), text('x'));
    listed = 0;
    for await (const _ of registry.repositories()) break;
    assert.ok(listed <= 4, `${listed} directories were read`);
  });

  it('of the local store may have a domain in front of a long path', async (t) => {
    const { registry } = await openStore(t);
    const name = `docker.io/${'x'.repeat(250)}` as RepositoryName;
    await pushBytes(registry, name, text('x'));
    assert.deepEqual(await all(registry.repositories()), [name]);
  });
});

function repoFile(root: string, path: string): string {
  return join(root, v2, 'repositories', repo, path);
}

async function put(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function* emptyList(): AsyncGenerator<Digest> {}

/** The files of docker-registry after one push, created by hand. */
async function distributionTree(t: TestContext) {
  const root = await temporaryDirectory(t);
  const layerBytes = madeBytes('layer', 5_000);
  const configBytes = text('{"architecture":"amd64","os":"linux"}');
  const [layer, config] = [await digestBytes(layerBytes), await digestBytes(configBytes)];
  const bytes = text(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.dockerManifest,
      config: { mediaType: mediaTypes.dockerConfig, size: configBytes.length, digest: config },
      layers: [{ mediaType: mediaTypes.dockerLayer, size: layerBytes.length, digest: layer }],
    }),
  );
  const manifest = await digestBytes(bytes);
  await put(blobFile(root, layer), layerBytes);
  await put(blobFile(root, config), configBytes);
  await put(blobFile(root, manifest), bytes);
  for (const digest of [layer, config]) await put(repoFile(root, `_layers/sha256/${digestHex(digest)}/link`), digest);
  await put(repoFile(root, `_manifests/revisions/sha256/${digestHex(manifest)}/link`), manifest);
  await put(repoFile(root, `_manifests/tags/latest/index/sha256/${digestHex(manifest)}/link`), manifest);
  await put(repoFile(root, '_manifests/tags/latest/current/link'), manifest);
  await mkdir(repoFile(root, '_uploads'), { recursive: true });
  const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
  return { root, registry, manifest, layer, config };
}
