import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { startServe } from '../../support/registries.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const app = parseRepositoryName('team/app');
const [one, two, other] = [parseTag('1'), parseTag('2'), parseTag('other')];
const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
const young = await buildImage({ layers: [{ files: { b: 'b' } }] });
const { digest } = image.descriptor;

/** A registry with an image under two tags, and another one. */
async function startFilled(t: TestContext) {
  const served = await startServe(t);
  await pushImage(served.registry, app, one, image);
  await pushImage(served.registry, app, two, image);
  await pushImage(served.registry, app, other, young);
  const proxy = await startFaultProxy(t, served.url);
  return { ...served, proxy, name: `${proxy.host}/team/app` };
}

describe('ocictl delete', () => {
  it('deletes a tag alone; the manifest and its other tags stay', async (t) => {
    const { registry, name } = await startFilled(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', `${name}:1`]);
    assert.deepEqual([exitCode, stdout], [0, `Deleted: ${name}:1\n`], stderr);
    await assert.rejects(registry.statManifest(app, one), (error) => isOciError(error, 'MANIFEST_UNKNOWN'));
    assert.equal((await registry.statManifest(app, two)).digest, digest);
  });

  it('deletes no digest without --yes, and lists the tags that would go: status 9', async (t) => {
    const { registry, name, proxy } = await startFilled(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', `${name}@${digest}`]);
    assert.deepEqual([exitCode, stdout], [9, '']);
    assert.match(stderr, new RegExp(`this would delete ${name}@${digest}, ${name}:1, ${name}:2\n`));
    assert.match(stderr, /hint: .*--yes/);
    assert.equal(proxy.count(undefined, 'DELETE'), 0);
    assert.equal((await registry.statManifest(app, one)).digest, digest);
  });

  it('deletes a digest with its tags after --yes, and no other', async (t) => {
    const { registry, name } = await startFilled(t);
    const { exitCode, stdout } = await ocictl(t, ['delete', '--yes', `${name}@${digest}`]);
    const gone = [`${name}@${digest}`, `${name}:1`, `${name}:2`];
    assert.deepEqual([exitCode, stdout.trimEnd().split('\n')], [0, gone.map((each) => `Deleted: ${each}`)]);
    for (const reference of [one, two, digest]) await assert.rejects(registry.statManifest(app, reference));
    assert.equal((await registry.statManifest(app, other)).digest, young.descriptor.digest);
  });

  it('prints one JSON document with --json', async (t) => {
    const { name } = await startFilled(t);
    const { stdout } = await ocictl(t, ['delete', '--json', '--yes', `${name}@${young.descriptor.digest}`]);
    assert.deepEqual(JSON.parse(stdout), {
      deleted: [`${name}@${young.descriptor.digest}`, `${name}:other`],
      leftBehind: [],
    });
  });

  it('does not mind tags that vanish while it looks', async (t) => {
    const { name, proxy } = await startFilled(t);
    proxy.fail({ path: /\/manifests\/other/, status: 404 });
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', `${name}@${digest}`]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout.trimEnd().split('\n').length, 3);
  });

  it('deletes nothing in a registry that cannot delete a tag alone, and has a hint', async (t) => {
    const { name, proxy, registry } = await startFilled(t);
    // The answer of docker-registry 2.8.
    const body = JSON.stringify({ errors: [{ code: 'DIGEST_INVALID', message: 'provided digest did not match' }] });
    proxy.fail({ method: 'DELETE', status: 400, body, headers: { 'content-type': 'application/json' } });
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', `${name}:1`]);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, /^error: \S+: this registry cannot delete a tag alone$/m);
    assert.ok(stderr.includes(`ocictl delete --yes ${name}@${digest}`), stderr);
    assert.equal((await registry.statManifest(app, two)).digest, digest);
  });

  it('deletes in a layout', async (t) => {
    await keepImage(t, 'app:1', image);
    for (const tag of ['x', 'y']) await ocictl(t, ['copy', 'store:app:1', `oci:dir:${tag}`]);
    assert.equal((await ocictl(t, ['delete', 'oci:dir:x'])).stdout, 'Deleted: oci:dir:x\n');
    assert.equal((await ocictl(t, ['tags', 'oci:dir'])).stdout, 'y\n');
    const all = await ocictl(t, ['delete', '--yes', `oci:dir@${digest}`]);
    assert.equal(all.stdout, `Deleted: oci:dir@${digest}\nDeleted: oci:dir:y\n`, all.stderr);
    assert.equal((await ocictl(t, ['tags', 'oci:dir'])).stdout, '');
  });

  it('says that the registry is read-only: status 4', async (t) => {
    const root = await temporaryDirectory(t);
    const writable = createStorage({ driver: await openFilesystemDriver({ root }) });
    await pushImage(writable, app, one, image);
    const { host } = await spawnServe(t, ['--root', root, '--read-only']);
    for (const words of [[`${host}/team/app:1`], ['--yes', `${host}/team/app@${digest}`]]) {
      const { exitCode, stderr } = await ocictl(t, ['delete', ...words]);
      assert.equal(exitCode, 4, stderr);
      assert.match(stderr, /is read-only/);
      assert.match(stderr, /takes no deletes: /);
      assert.doesNotMatch(stderr, /log in/);
    }
  });

  const refusals: readonly (readonly [string, (name: string) => readonly string[], number, RegExp])[] = [
    ['a repository without a tag', (name) => [name], 2, /names neither a tag nor a digest/],
    ['a layout without a tag', () => ['oci:dir'], 3, /no OCI layout/],
    ['what is in the local store', () => ['store:app:1'], 2, /hint: .*ocictl rmi app:1/],
    ['a tag that is not there', (name) => [`${name}:9`], 3, /team\/app:9 not found/],
    ['a digest that is not there', (name) => ['--yes', `${name}@sha256:${'a'.repeat(64)}`], 3, /not found/],
    ['no reference', () => ['App:1'], 2, /repository name must be lowercase/],
  ];
  for (const [title, words, status, message] of refusals) {
    it(`refuses ${title} with status ${status}`, async (t) => {
      const { name, proxy } = await startFilled(t);
      await keepImage(t, 'app:1', image);
      const { exitCode, stdout, stderr } = await ocictl(t, ['delete', ...words(name)]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
      if (status === 2) assert.equal(proxy.requests.length, 0);
    });
  }
});
