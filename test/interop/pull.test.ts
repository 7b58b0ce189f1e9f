import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { manifestReference, parseReference, toStoreName } from '../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { ocictl, spawnServe } from '../support/command.ts';
import { type Built, blobsIn, buildAttestation, buildImage, buildIndex } from '../support/images.ts';
import { fileHash, layoutBlob, layoutRoot, storedBlob, writeLayout } from '../support/layout.ts';
import {
  type DockerRegistry,
  makeCertificates,
  needs,
  podman,
  skopeo,
  startDockerRegistry,
} from '../support/programs.ts';
import { sandbox, temporaryDirectory } from '../support/sandbox.ts';

describe('ocictl pull from docker-registry', () => {
  it('gets what skopeo pushed: manifest, config and layers, byte for byte', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const origin = await startDockerRegistry(t);
    const image = await demoImage();
    await push(t, origin, image);
    const name = `${origin.host}/team/app:1.0`;
    const pulled = await ocictl(t, ['pull', name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.match(pulled.stdout, new RegExp(`^Digest: ${image.descriptor.digest}$`, 'm'));
    assert.equal(pulled.stdout.trimEnd().split('\n').at(-1), name);
    await assertStored(t, name, image, origin);

    const again = await ocictl(t, ['pull', name]);
    assert.match(again.stdout, /Status: Image is up to date for /);
    const listed = await ocictl(t, ['images', '--json']);
    assert.equal((JSON.parse(listed.stdout) as { digest: string }).digest, image.descriptor.digest);
  });

  it('gets an index with all platforms, and gives it to skopeo and podman through serve --store', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'podman')) return;
    const origin = await startDockerRegistry(t);
    const image = await demoImage();
    const index = await buildIndex([image, await demoImage('s390x'), await buildAttestation(image)]);
    await push(t, origin, index);
    const name = `${origin.host}/team/app:1.0`;
    const pulled = await ocictl(t, ['pull', '-q', '--platform', 'all', name]);
    assert.equal(pulled.stdout, `${name}\n`, pulled.stderr);
    await assertStored(t, name, index, origin);

    const server = await spawnServe(t, ['--store', '--mirror-of', origin.host]);
    const target = await temporaryDirectory(t);
    const from = `${server.host}/team/app:1.0`;
    const words = ['copy', '--all', '--preserve-digests', '--src-tls-verify=false'];
    await skopeo(t, [...words, `docker://${from}`, `oci:${target}:1.0`]);
    assert.equal(await layoutRoot(target), index.descriptor.digest);
    for (const { descriptor } of blobsIn(index)) {
      assert.equal(`sha256:${await fileHash(layoutBlob(target, descriptor.digest))}`, descriptor.digest);
    }
    const { stdout } = await podman(t, ['pull', '-q', '--tls-verify=false', '--platform', image.platform, from]);
    assert.equal(`sha256:${stdout.trim()}`, image.config.descriptor.digest);
  });

  it('gives one platform of an index to podman, which asks for no more', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'podman')) return;
    const origin = await startDockerRegistry(t);
    const [image, other] = [await demoImage(), await demoImage('s390x')];
    await push(t, origin, await buildIndex([other, image]));
    const name = `${origin.host}/team/app:1.0`;
    const pulled = await ocictl(t, ['pull', '-q', '--platform', image.platform, name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const { store } = await sandbox(t);
    await assert.rejects(readFile(storedBlob(store, other.config.descriptor.digest)), { code: 'ENOENT' });
    const server = await spawnServe(t, ['--store', '--mirror-of', origin.host]);
    const words = ['pull', '-q', '--tls-verify=false', '--platform', image.platform, `${server.host}/team/app:1.0`];
    assert.equal(`sha256:${(await podman(t, words)).stdout.trim()}`, image.config.descriptor.digest);
  });

  it('pulls all tags, and by digest', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const origin = await startDockerRegistry(t);
    const image = await demoImage();
    for (const tag of ['1.0', '1.1', 'latest']) await push(t, origin, image, tag);
    const pulled = await ocictl(t, ['pull', '-a', `${origin.host}/team/app`]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const listed = await ocictl(t, ['images', '--json']);
    const tags = listed.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { tag: string }).tag);
    assert.deepEqual(tags.sort(), ['1.0', '1.1', 'latest']);
    const byDigest = await ocictl(t, ['pull', '-q', `${origin.host}/team/app@${image.descriptor.digest}`]);
    assert.equal(byDigest.exitCode, 0, byDigest.stderr);
  });

  it('says with status 3 what is not there', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const origin = await startDockerRegistry(t);
    await push(t, origin, await demoImage());
    for (const name of ['team/app:2.0', 'team/nothing:1.0']) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['pull', '-q', `${origin.host}/${name}`]);
      assert.equal(exitCode, 3, stderr);
      assert.equal(stdout, '');
    }
  });
});

describe('ocictl pull from a docker-registry with passwords', () => {
  const account = { username: 'ann', password: 'correct horse' };

  it('uses the credentials of config.json, and ends with status 4 where they are absent or wrong', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'htpasswd')) return;
    const origin = await startDockerRegistry(t, { htpasswd: account });
    const image = await demoImage();
    const credentials = `${account.username}:${account.password}`;
    await push(t, origin, image, '1.0', ['--dest-creds', credentials]);
    const name = `${origin.host}/team/app:1.0`;
    const { dockerConfig, store } = await sandbox(t);
    const logIn = (text: string) => {
      const auths = { [origin.host]: { auth: Buffer.from(text).toString('base64') } };
      return writeFile(join(dockerConfig, 'config.json'), JSON.stringify({ auths }));
    };

    const anonymous = await ocictl(t, ['pull', '-q', name]);
    assert.equal(anonymous.exitCode, 4, anonymous.stderr);
    await logIn('ann:wrong');
    const wrong = await ocictl(t, ['pull', '-q', name]);
    assert.equal(wrong.exitCode, 4, wrong.stderr);
    assert.doesNotMatch(wrong.stderr, /wrong/);
    await assert.rejects(readFile(storedBlob(store, image.descriptor.digest)), { code: 'ENOENT' });
    await logIn(credentials);
    const right = await ocictl(t, ['pull', '-q', '-v', name]);
    assert.equal(right.exitCode, 0, right.stderr);
    assert.doesNotMatch(right.stderr, /correct horse/);
    assert.ok(!right.stderr.includes(Buffer.from(credentials).toString('base64')));
    await assertStored(t, name, image, origin);
  });
});

describe('ocictl pull from a docker-registry with a certificate of a private authority', () => {
  it('refuses it with status 5 and a hint, until certs.d vouches for it', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'openssl')) return;
    const certificates = await makeCertificates(t);
    const origin = await startDockerRegistry(t, { tls: certificates });
    const image = await demoImage();
    await push(t, origin, image);
    // Certificates of 127.0.0.0/8 are not verified, as in Docker. On Linux, 0.0.0.0 is another name for loopback.
    const host = origin.host.replace('127.0.0.1', '0.0.0.0');
    const name = `${host}/team/app:1.0`;
    const refused = await ocictl(t, ['pull', '-q', name]);
    assert.equal(refused.exitCode, 5, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /certs\.d/);

    const { certsDir } = await sandbox(t);
    const directory = join(certsDir, host);
    await mkdir(directory, { recursive: true });
    await cp(certificates.authority, join(directory, 'ca.crt'));
    const trusted = await ocictl(t, ['pull', '-q', name]);
    assert.equal(trusted.exitCode, 0, trusted.stderr);
    await assertStored(t, name, image, origin);
  });

  it('takes any certificate of a registry that is named insecure', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'openssl')) return;
    const origin = await startDockerRegistry(t, { tls: await makeCertificates(t) });
    const image = await demoImage();
    await push(t, origin, image);
    const host = origin.host.replace('127.0.0.1', '0.0.0.0');
    const name = `${host}/team/app:1.0`;
    const pulled = await ocictl(t, ['pull', '-q', '--insecure-registry', host, name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    await assertStored(t, name, image, origin);
  });
});

async function demoImage(architecture = process.arch === 'arm64' ? 'arm64' : 'amd64') {
  const image = await buildImage({
    platform: { os: 'linux', architecture },
    layers: [
      { files: { 'etc/os-release': 'ID=demo\n' } },
      { files: { 'etc/arch': architecture, 'usr/share/text': 'lorem ipsum '.repeat(20_000) } },
      { files: { 'usr/bin/demo': { content: '#!/bin/sh\n', mode: 0o755 } }, compression: 'none' },
    ],
  });
  return { ...image, platform: `linux/${architecture}` };
}

/** Pushes with skopeo, since most images come into registries by other programs. */
async function push(t: TestContext, to: DockerRegistry, built: Built, tag = '1.0', more: string[] = []): Promise<void> {
  const source = await temporaryDirectory(t);
  await writeLayout(source, tag, built);
  // Skopeo's own compression would change the digests.
  const words = ['copy', '--all', '--preserve-digests', '--dest-tls-verify=false', ...more];
  await skopeo(t, [...words, `oci:${source}:${tag}`, `docker://${to.host}/team/app:${tag}`]);
}

async function assertStored(t: TestContext, name: string, built: Built, origin: DockerRegistry): Promise<void> {
  const { store } = await sandbox(t);
  const local = createStorage({ driver: await openFilesystemDriver({ root: store, readOnly: true }) });
  const reference = parseReference(name);
  const got = await local.getManifest(toStoreName(reference), manifestReference(reference));
  assert.equal(got.descriptor.digest, built.descriptor.digest);
  assert.deepEqual(Buffer.from(got.bytes), Buffer.from(built.manifest.bytes));
  const digests: Digest[] = [built.descriptor.digest, ...blobsIn(built).map(({ descriptor }) => descriptor.digest)];
  for (const digest of digests) {
    assert.deepEqual(await readFile(storedBlob(store, digest)), await readFile(storedBlob(origin.root, digest)));
  }
}
