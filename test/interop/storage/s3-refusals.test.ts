import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { at } from '../../storage/drivers/every-driver.ts';
import { pushBytes, text } from '../../storage/stores.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { type Fault, startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { startVersitygw } from '../../support/programs/versitygw.ts';
import { needs } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';

const stores = s3Drivers();
const [repo, tag] = [parseRepositoryName('team/app'), parseTag('1')];
const told = (code: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>told</Message></Error>`;

async function gateway(t: TestContext) {
  return needs(t, 'versitygw') ? await stores.gateway() : undefined;
}

describe('serve over a store that begins to refuse', () => {
  const refusals: readonly (readonly [name: string, fault: Fault, status: number, message: RegExp])[] = [
    [
      'keys that it does not know any more',
      { status: 403, body: told('InvalidAccessKeyId') },
      500,
      /does not know the access key/,
    ],
    ['a wrong secret', { status: 403, body: told('SignatureDoesNotMatch') }, 500, /the secret key is wrong/],
    ['keys that have ended', { status: 400, body: told('ExpiredToken') }, 500, /the session token has ended/],
    [
      'keys that may only read',
      { status: 403, body: told('AccessDenied'), method: 'PUT' },
      500,
      /the key may not do that/,
    ],
    ['a bucket that is gone', { status: 404, body: told('NoSuchBucket') }, 500, /there is no such bucket/],
    [
      'a full quota',
      { status: 403, body: told('QuotaExceeded'), method: 'PUT' },
      507,
      /the quota of the bucket is used up/,
    ],
    [
      'a web page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html><p>Hi' },
      500,
      /answers with/,
    ],
    ['a busy store', { status: 503, body: told('SlowDown') }, 503, /answers SlowDown/],
  ];
  for (const [name, fault, status, message] of refusals) {
    it(`${name}: the client gets ${status} without a reason, the log has it, and nothing is lost`, async (t) => {
      const store = await gateway(t);
      if (store === undefined) return;
      const proxy = await startFaultProxy(t, store.url);
      const root = `s3://${store.bucket}/${name.replaceAll(' ', '-')}?endpoint=${proxy.url}`;
      const { url, output, waitFor } = await spawnServe(t, ['--root', root], { env: store.env });
      const image = await buildImage({ layers: [{ files: { app: 'kept' } }] });
      await pushImage(openRemote(t, url), repo, tag, image);
      proxy.fail(fault);
      const body = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}';
      const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
      const push = () => fetch(`${url}/v2/team/app/manifests/2`, { method: 'PUT', headers, body });
      const refused = await push();
      assert.equal(refused.status, status);
      assert.doesNotMatch(await refused.text(), /s3:|registry\/v2|127\.0\.0\.1|testkey|testsecret/);
      await waitFor(message);
      assert.ok(!output().stderr.includes('testsecret'));
      proxy.heal();
      assert.equal((await push()).status, 201);
      assert.equal((await openRemote(t, url).statManifest(repo, tag)).digest, image.descriptor.digest);
    });
  }

  it('is refused at its start by a gateway that only reads, and then serves with --read-only', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const store = await startVersitygw(t, { words: ['--readonly'] });
    const root = `s3://${store.bucket}/team?endpoint=${store.url}`;
    const refused = await ocictl(t, ['serve', '--addr', '127.0.0.1:0', '--root', root], { env: store.env });
    assert.equal(refused.exitCode, 10);
    assert.match(refused.stderr, /the key may not do that[\s\S]*use --read-only/);
    const { url } = await spawnServe(t, ['--read-only', '--root', root], { env: store.env });
    assert.deepEqual(await (await fetch(`${url}/v2/_catalog`)).json(), { repositories: [] });
  });

  it('is refused at its start by a gateway with other keys', async (t) => {
    const store = await gateway(t);
    if (store === undefined) return;
    const root = `s3://${store.bucket}/team?endpoint=${store.url}`;
    for (const [env, message] of [
      [{ ...store.env, AWS_SECRET_ACCESS_KEY: 'wrongsecret12' }, /the secret key is wrong/],
      [{ ...store.env, AWS_ACCESS_KEY_ID: 'nobody' }, /does not know the access key/],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--addr', '127.0.0.1:0', '--root', root], { env });
      assert.equal(exitCode, 10);
      assert.match(stderr, message);
    }
  });
});

describe('a bucket with objects that are not a registry’s', () => {
  it('keeps them through two collections at once, and a check; and they hide nothing', async (t) => {
    const store = await gateway(t);
    if (store === undefined) return;
    const driver = await stores.open({ prefix: 'foreign' });
    const registry = createStorage({ driver });
    const image = await buildImage({ layers: [{ files: { app: 'kept' } }] });
    await pushImage(registry, repo, tag, image);
    for (let i = 0; i < 20; i += 1) await pushBytes(registry, repo, text(`loose ${i}`));
    const foreign = [
      'README',
      'other/data',
      'docker/registry/v2/notes',
      'docker/registry/v2/repositories/notes',
      'docker/registry/v2/repositories/team/app/_manifests/tags/notes',
      'docker/registry/v2/repositories/team/app/_layers/sha256/notes',
      'docker/registry/v2/blobs/sha256/ab/notes/data',
      'docker/registry/v2/blobs/md5/ab/data',
    ];
    for (const path of foreign) await driver.put(at(path), text('not ours'));
    const root = `s3://${store.bucket}/foreign?endpoint=${store.url}`;
    const storage = (...words: string[]) => ocictl(t, ['storage', ...words, '--root', root], { env: store.env });
    const runs = await Promise.all([storage('gc', '--grace', '0'), storage('gc', '--grace', '0')]);
    for (const { exitCode, stderr } of runs) assert.equal(exitCode, 0, stderr);
    const again = await storage('gc', '--grace', '0', '-v');
    assert.doesNotMatch(again.stderr, /removed/);
    for (const path of foreign) assert.ok(await driver.stat(at(path)), path);
    const checked = await storage('fsck', '--bytes');
    assert.equal(checked.exitCode, 0, checked.stdout);
    assert.match(checked.stdout, /^Checked: 1 repository, 1 tag, 1 manifest, 3 blobs/m);
    assert.equal((await registry.statManifest(repo, tag)).digest, image.descriptor.digest);
  });
});
