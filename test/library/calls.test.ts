import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  type CallOptions,
  copy,
  createRegistryService,
  createStaticStore,
  deleteTag,
  getDigest,
  getImageConfig,
  getManifest,
  isOciError,
  listRepositories,
  listTags,
  loadSettings,
  mutate,
  openImage,
  type ProgressEvent,
  pullArtifact,
  pushManifest,
  referrersTree,
  setTags,
} from '../../src/index.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { createBasicAuth } from '../../src/server/auth/basic-auth.ts';
import { buildArtifact, buildImage, pushImage } from '../support/images.ts';
import { buildBlob } from '../support/layer.ts';
import { memoryRegistry } from '../support/memory.ts';
import { startServe } from '../support/registries.ts';
import { sandbox, temporaryDirectory } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');

/** A registry with `team/app:1`, and a service that reads nothing of this machine. */
async function registry(t: TestContext) {
  const source = memoryRegistry();
  const image = await buildImage({ layers: [] });
  await pushImage(source, repo, parseTag('1'), image);
  const { host } = await startServe(t, { registry: source });
  const { env, home } = await sandbox(t);
  const settings = await loadSettings({ env, homedir: home });
  const service = createRegistryService({ settings });
  t.after(() => service.close());
  return { host, settings, service, source, digest: image.descriptor.digest };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('the calls of the library', () => {
  it('tell what hangs on an image', async (t) => {
    const { host, service, source, digest } = await registry(t);
    const subject = await source.statManifest(repo, digest);
    const sbom = await buildArtifact({ artifactType: 'a/sbom', subject });
    await pushImage(source, repo, undefined, sbom);
    const found = await all(referrersTree(`${host}/team/app:1`, { service }));
    assert.deepEqual(
      found.map(({ kind, artifactType, descriptor }) => [kind, artifactType, descriptor.digest]),
      [['referrer', 'a/sbom', sbom.descriptor.digest]],
    );
    const platform = 'windows/amd64';
    await assert.rejects(all(referrersTree(`${host}/team/app:1`, { service, platform })), /windows/);
    await assert.rejects(all(referrersTree(`${host}/team/app:1`, { service, depth: 0 })), /depth must be at least 1/);
    await assert.rejects(all(referrersTree(`${host}/team/app:none`, { service })), /none/);
  });

  it('copy only what complies with a policy', async (t) => {
    const { host, service, source, digest } = await registry(t);
    const policy = join(await temporaryDirectory(t), 'policy.yaml');
    const rules = 'registries:\n  "*.example.com": accept\n';
    const to = `${host}/kept/app:2`;
    await writeFile(policy, `default: reject\n${rules}`);
    await assert.rejects(copy(`${host}/team/app:1`, to, { service, policy }), (error) =>
      isOciError(error, 'UNTRUSTED'),
    );
    await assert.rejects(source.statManifest(parseRepositoryName('kept/app'), digest));
    await writeFile(policy, `default: accept\n${rules}`);
    assert.equal((await copy(`${host}/team/app:1`, to, { service, policy })).digest, digest);
    const missing = copy(`${host}/team/app:1`, to, { service, policy: `${policy}.none` });
    await assert.rejects(missing, (error) => isOciError(error, 'CONFIG_INVALID'));
  });

  it('open, change and unpack only what complies with a policy', async (t) => {
    const { host, service, source } = await registry(t);
    const directory = await temporaryDirectory(t);
    const policy = join(directory, 'policy.yaml');
    const [image, files] = [`${host}/team/app:1`, `${host}/team/files:1`];
    const text = await buildBlob('text', 'text/plain');
    const annotations = { 'org.opencontainers.image.title': 'a.txt' };
    const blobs = [{ ...text, descriptor: { ...text.descriptor, annotations } }];
    const artifact = await buildArtifact({ artifactType: 'a/b', blobs });
    await pushImage(source, parseRepositoryName('team/files'), parseTag('1'), artifact);
    const changed = () => mutate(image, { labels: { a: '1' } }, { service, policy, to: `${host}/kept/app:3` });
    const calls = [
      async () => void (await (await openImage(image, { service, policy }))[Symbol.asyncDispose]()),
      async () => void (await changed()),
      async () => void (await pullArtifact(files, join(directory, 'files'), { service, policy })),
    ];
    await writeFile(policy, 'default: reject\n');
    for (const call of calls) await assert.rejects(call, (error) => isOciError(error, 'UNTRUSTED'));
    await assert.rejects(source.statManifest(parseRepositoryName('kept/app'), parseTag('3')));
    await assert.rejects(stat(join(directory, 'files')), { code: 'ENOENT' });
    await writeFile(policy, 'default: accept\n');
    for (const call of calls) await call();
    assert.equal(await readFile(join(directory, 'files', 'a.txt'), 'utf8'), 'text');
  });

  it('copy an image by two strings, and tell of it', async (t) => {
    const { host, service, digest } = await registry(t);
    const events: ProgressEvent[] = [];
    const onProgress = (event: ProgressEvent): void => void events.push(event);
    const copied = await copy(`${host}/team/app:1`, `${host}/kept/app:2`, { service, onProgress });
    assert.deepEqual([copied.destination, copied.digest, copied.changed], [`${host}/kept/app:2`, digest, true]);
    assert.equal(await getDigest(`${host}/kept/app:2`, { service }), digest);
    assert.ok(events.some(({ type }) => type === 'tag'));
    const again = await copy(`${host}/team/app:1`, `${host}/kept/app:2`, { service });
    assert.deepEqual([again.changed, again.transferredBytes], [false, 0]);
  });

  it('copy into a layout, and out of it', async (t) => {
    const { host, service, digest } = await registry(t);
    const directory = await temporaryDirectory(t);
    await copy(`${host}/team/app:1`, `oci:${join(directory, 'app')}:1`, { service });
    assert.match(await readFile(join(directory, 'app', 'index.json'), 'utf8'), new RegExp(digest));
    await copy(`oci:${join(directory, 'app')}:1`, `${host}/again:1`, { service });
    assert.equal(await getDigest(`${host}/again:1`, { service }), digest);
  });

  it('end a copy whose onProgress throws, with that error', async (t) => {
    const { host, service } = await registry(t);
    const mine = new Error('mine');
    const onProgress = (): void => {
      throw mine;
    };
    await assert.rejects(copy(`${host}/team/app:1`, `${host}/never:1`, { service, onProgress }), mine);
    await assert.rejects(getDigest(`${host}/never:1`, { service }), (error) =>
      isOciError(error, 'NAME_UNKNOWN', 'MANIFEST_UNKNOWN'),
    );
  });

  it('look at tags, manifest and config', async (t) => {
    const { host, service, digest } = await registry(t);
    assert.deepEqual(await all(listRepositories(host, { service })), ['team/app']);
    assert.deepEqual(await all(listTags(`${host}/team/app`, { service })), ['1']);
    const { descriptor, view } = await getManifest(`${host}/team/app:1`, { service });
    assert.deepEqual([descriptor.digest, view.kind], [digest, 'image']);
    assert.equal((await getImageConfig(`${host}/team/app:1`, { service })).os, 'linux');
  });

  it('push a manifest, set tags and delete one', async (t) => {
    const { host, service, digest } = await registry(t);
    const { mediaType, bytes } = await getManifest(`${host}/team/app:1`, { service });
    const pushed = await pushManifest(`${host}/team/app:2`, { mediaType, bytes }, { service });
    assert.equal(pushed.digest, digest);
    await setTags(`${host}/team/app:2`, ['3', 'latest'], { service });
    await deleteTag(`${host}/team/app:1`, { service });
    assert.deepEqual(await all(listTags(`${host}/team/app`, { service })), ['2', '3', 'latest']);
  });

  it('use the credentials that a service was given instead of stored ones', async (t) => {
    const { settings, source, digest } = await registry(t);
    const { hashSync } = await import('bcryptjs');
    const accounts = new Map([['ada', hashSync('secret', 4)]]);
    const authorize = createBasicAuth({ accounts: async () => accounts, realm: 'test' });
    const { host } = await startServe(t, { registry: source, authorize });
    const credential = { kind: 'password', username: 'ada', password: 'secret', source: 'test' } as const;
    const service = createRegistryService({ settings, credentials: createStaticStore({ [host]: credential }) });
    t.after(() => service.close());
    assert.equal(await getDigest(`${host}/team/app:1`, { service }), digest);
    const stranger = createRegistryService({ settings });
    t.after(() => stranger.close());
    await assert.rejects(getDigest(`${host}/team/app:1`, { service: stranger }), (error) =>
      isOciError(error, 'UNAUTHORIZED'),
    );
  });

  it('refuse credentials beside a service, which has its own', async (t) => {
    const { host, service } = await registry(t);
    const options: CallOptions = { service, credentials: createStaticStore({}) };
    await assert.rejects(getDigest(`${host}/team/app:1`, options), (error) => isOciError(error, 'USAGE'));
  });
});
