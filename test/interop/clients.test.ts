import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { readContent } from '../../src/registry/content.ts';
import { blobsIn, buildAttestation, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { fileHash, layoutBlob, layoutRoot, writeLayout } from '../support/layout.ts';
import { needs, podman, skopeo, startDockerRegistry, umoci } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('1.0');

describe('skopeo with our server', () => {
  it('pushes an index with an attestation, whole, and gets the same bytes back', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const { host, registry } = await startServe(t);
    const index = await demoIndex();
    const source = await temporaryDirectory(t);
    await writeLayout(source, '1.0', index);
    await skopeo(t, ['copy', '--all', '--dest-tls-verify=false', `oci:${source}:1.0`, `docker://${host}/team/app:1.0`]);
    const got = await registry.getManifest(repo, tag);
    assert.equal(got.descriptor.digest, index.descriptor.digest);
    assert.deepEqual(Buffer.from(got.bytes), Buffer.from(index.manifest.bytes));
    for (const { descriptor } of blobsIn(index)) {
      assert.equal((await registry.statBlob(repo, descriptor.digest)).size, descriptor.size);
    }

    const target = await temporaryDirectory(t);
    await skopeo(t, ['copy', '--all', '--src-tls-verify=false', `docker://${host}/team/app:1.0`, `oci:${target}:1.0`]);
    assert.equal(await layoutRoot(target), index.descriptor.digest);
    for (const { descriptor } of blobsIn(index)) {
      assert.equal(`sha256:${await fileHash(layoutBlob(target, descriptor.digest))}`, descriptor.digest);
    }
  });

  it('inspects, lists tags and deletes', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const { host, registry } = await startServe(t);
    const image = await demoImage('amd64');
    await pushImage(registry, repo, tag, image);
    const inspected = await skopeo(t, ['inspect', '--tls-verify=false', `docker://${host}/team/app:1.0`]);
    const facts = JSON.parse(inspected.stdout) as { Digest: string; RepoTags: string[]; Layers: string[] };
    assert.equal(facts.Digest, image.descriptor.digest);
    assert.deepEqual(facts.RepoTags, ['1.0']);
    assert.equal(facts.Layers.length, 2);
    const raw = await skopeo(t, ['inspect', '--raw', '--tls-verify=false', `docker://${host}/team/app:1.0`]);
    assert.equal(raw.stdout, Buffer.from(image.manifest.bytes).toString());
    await skopeo(t, ['delete', '--tls-verify=false', `docker://${host}/team/app:1.0`]);
    await assert.rejects(registry.statManifest(repo, tag));
  });

  it('copies from docker-registry into it, mounting what another repository has', async (t) => {
    if (!needs(t, 'skopeo', 'docker-registry')) return;
    const origin = await startDockerRegistry(t);
    const { host, registry } = await startServe(t);
    const source = await temporaryDirectory(t);
    await writeLayout(source, '1.0', await demoImage('amd64'));
    const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const asDocker = ['--format', 'v2s2', ...plain];
    await skopeo(t, ['copy', ...asDocker, `oci:${source}:1.0`, `docker://${origin.host}/team/app:1.0`]);
    await skopeo(t, ['copy', ...plain, `docker://${origin.host}/team/app:1.0`, `docker://${host}/team/app:1.0`]);
    await skopeo(t, ['copy', ...plain, `docker://${host}/team/app:1.0`, `docker://${host}/team/other:1.0`]);
    const other = await registry.getManifest(parseRepositoryName('team/other'), tag);
    assert.equal(other.mediaType, mediaTypes.dockerManifest);
    assert.equal(other.descriptor.digest, (await registry.statManifest(repo, tag)).digest);
  });

  it('pushes what umoci built', async (t) => {
    if (!needs(t, 'skopeo', 'umoci')) return;
    const { host, registry } = await startServe(t);
    const directory = await temporaryDirectory(t);
    const [layout, file] = [join(directory, 'layout'), join(directory, 'file')];
    await writeFile(file, 'made by umoci\n');
    await umoci(t, ['init', '--layout', layout]);
    await umoci(t, ['new', '--image', `${layout}:1.0`]);
    await umoci(t, ['insert', '--rootless', '--image', `${layout}:1.0`, file, '/etc/made-by']);
    await skopeo(t, ['copy', '--dest-tls-verify=false', `oci:${layout}:1.0`, `docker://${host}/team/app:1.0`]);
    const { descriptor, view } = await registry.getManifest(repo, tag);
    assert.equal(descriptor.digest, await layoutRoot(layout));
    assert.ok(view.kind === 'image');
    const config = await readContent(await registry.getBlob(repo, view.config), 1 << 20);
    assert.match(Buffer.from(config).toString(), /"rootfs"/);
  });
});

describe('podman with our server', () => {
  it('pulls an image and pushes it back under another name', async (t) => {
    if (!needs(t, 'podman')) return;
    const { host, registry } = await startServe(t);
    const image = await demoImage(process.arch === 'arm64' ? 'arm64' : 'amd64');
    await pushImage(registry, repo, tag, image);
    const pulled = await podman(t, ['pull', '-q', '--tls-verify=false', `${host}/team/app:1.0`]);
    // Podman names an image by the digest of its config.
    assert.equal(`sha256:${pulled.stdout.trim()}`, image.config.descriptor.digest);
    await podman(t, ['push', '-q', '--tls-verify=false', `${host}/team/app:1.0`, `${host}/team/copy:1.0`]);
    const copy = await registry.getManifest(parseRepositoryName('team/copy'), tag);
    assert.ok(copy.view.kind === 'image');
    assert.equal(copy.view.layers.length, 2);
    await podman(t, ['rmi', '-f', `${host}/team/app:1.0`]);
    await podman(t, ['pull', '-q', '--tls-verify=false', `${host}/team/copy:1.0`]);
  });

  it('pulls its platform out of an index', async (t) => {
    if (!needs(t, 'podman')) return;
    const { host, registry } = await startServe(t);
    await pushImage(registry, repo, tag, await demoIndex());
    for (const architecture of ['amd64', 'arm64']) {
      const words = ['pull', '-q', '--tls-verify=false', '--platform', `linux/${architecture}`, `${host}/team/app:1.0`];
      const { stdout } = await podman(t, words);
      assert.equal(`sha256:${stdout.trim()}`, (await demoImage(architecture)).config.descriptor.digest);
    }
  });
});

describe('docker-registry as a pull-through cache', () => {
  it('fetches from our server', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const { url, registry } = await startServe(t);
    const image = await demoImage('amd64');
    await pushImage(registry, repo, tag, image);
    const cache = await startDockerRegistry(t, { proxyOf: url });
    const target = await temporaryDirectory(t);
    const from = `docker://${cache.host}/team/app:1.0`;
    await skopeo(t, ['copy', '--src-tls-verify=false', from, `oci:${target}:1.0`]);
    assert.equal(await layoutRoot(target), image.descriptor.digest);
  });
});

function demoImage(architecture: string) {
  return buildImage({
    platform: { os: 'linux', architecture },
    layers: [
      { files: { 'etc/os-release': 'ID=demo\n', 'etc/arch': architecture } },
      { files: { 'usr/bin/demo': { content: '#!/bin/sh\necho demo\n', mode: 0o755 } } },
    ],
  });
}

async function demoIndex() {
  const [amd64, arm64] = [await demoImage('amd64'), await demoImage('arm64')];
  return buildIndex([amd64, arm64, await buildAttestation(amd64)]);
}
