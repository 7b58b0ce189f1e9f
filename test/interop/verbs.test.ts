/** However an image is moved, and by whatever program, its digest and every byte stay the same. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { ocictl, spawnServe } from '../support/command.ts';
import { assertSame, layoutAt, servedAt, skopeoDirectoryAt, storeAt } from '../support/images/walk.ts';
import { type Built, buildArtifact, buildAttestation, buildImage, buildIndex } from '../support/images.ts';
import { buildBlob, type LayerSpec } from '../support/layer.ts';
import { writeLayout } from '../support/layout.ts';
import { needs, skopeo, startDockerRegistry } from '../support/programs.ts';
import { sandbox } from '../support/sandbox.ts';

interface Row {
  readonly title: string;
  readonly build: () => Promise<Built>;
  /** skopeo's message if it cannot copy such an image completely. */
  readonly skopeoRefuses?: RegExp;
}

const rows: readonly Row[] = [
  { title: 'an image of three layers', build: () => imageOf(layers(3)) },
  {
    title: "an image of three layers in Docker's own media types",
    build: () => buildImage({ layers: layers(3), format: 'docker' }),
  },
  { title: 'an image of 200 layers', build: () => imageOf(layers(200)) },
  { title: 'an index of two platforms with an attestation for each', build: attestedIndex },
  {
    title: 'an index of indexes',
    build: nestedIndex,
    skopeoRefuses: /manifest list instead of a manifest for a single image/,
  },
  { title: 'an artifact with a subject', build: artifactWithSubject },
  { title: 'an image with layers in zstd, gzip and neither', build: mixedImage },
  { title: 'an image with a layer of no bytes', build: emptyLayer },
  { title: 'an artifact whose only blob is the empty descriptor', build: emptyArtifact },
];

for (const { title, build, skopeoRefuses } of rows) {
  describe(title, { concurrency: false }, () => {
    const judged = async (t: TestContext, place: Place, built: Built): Promise<void> => {
      await assertSame(servedAt(`http://${place.host}`, place.repository), '1', built);
      await askSkopeo(t, place, built, skopeoRefuses);
    };

    it('is the same in docker-registry, in ocictl serve over memory and over a directory, and in a layout', async (t) => {
      if (!needs(t, 'docker-registry', 'skopeo')) return;
      const built = await build();
      await startLayout(t, built);
      const { home } = await sandbox(t);
      const [theirs, memory, kept] = [
        at((await startDockerRegistry(t)).host),
        at((await spawnServe(t, ['--memory'])).host),
        at((await spawnServe(t, ['--root', join(home, 'kept')])).host),
      ];
      let from = 'oci:start:1';
      for (const place of [theirs, memory, kept]) {
        await copy(t, from, place.name);
        await judged(t, place, built);
        from = place.name;
      }
      await copy(t, kept.name, 'oci:end:1');
      await assertSame(layoutAt(join(home, 'end')), '1', built);
      for (const [source, repository] of [
        ['oci:end:1', 'back'],
        [theirs.name, 'mounted'],
      ] as const) {
        const place = at(theirs.host, repository);
        await copy(t, source, place.name);
        await judged(t, place, built);
      }
    });

    it('is the same after the local store, pulled and pushed as well as copied', async (t) => {
      if (!needs(t, 'docker-registry', 'skopeo')) return;
      const built = await build();
      await startLayout(t, built);
      const { store } = await sandbox(t);
      const theirs = at((await startDockerRegistry(t)).host);
      const ours = at((await spawnServe(t, ['--memory'])).host);
      await copy(t, 'oci:start:1', theirs.name);

      await run(t, ['pull', '-q', '--platform', 'all', theirs.name]);
      await assertSame(storeAt(store, theirs.name), '1', built);
      await run(t, ['tag', theirs.name, ours.name]);
      await run(t, ['push', '-q', ours.name]);
      await judged(t, ours, built);

      await copy(t, ours.name, 'store:example.com/kept:1');
      await assertSame(storeAt(store, 'example.com/kept'), '1', built);
      const back = at(theirs.host, 'back');
      await copy(t, 'store:example.com/kept:1', back.name);
      await judged(t, back, built);
      for (const place of [theirs.name, ours.name, back.name, 'store:example.com/kept:1', 'oci:start:1']) {
        assert.equal(await run(t, ['digest', place]), `${built.descriptor.digest}\n`);
      }
    });
  });
}

describe('what speaks about an image', () => {
  it('is found through it wherever both were copied', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const [image, artifact] = [await imageOf(layers(1)), await artifactWithSubject()];
    const { home } = await sandbox(t);
    for (const [name, built] of Object.entries({ image, artifact })) await writeLayout(join(home, name), '1', built);
    const hosts = [(await startDockerRegistry(t)).host, (await spawnServe(t, ['--memory'])).host];
    const subject = image.descriptor.digest;
    let from = { image: 'oci:image:1', artifact: 'oci:artifact:1' };
    for (const host of hosts) {
      const to = { image: `${host}/app:1`, artifact: `${host}/app:sbom` };
      await copy(t, from.image, to.image);
      await copy(t, from.artifact, to.artifact);
      // docker-registry 2.8 lacks the referrers API: the list is then an index under a tag.
      const api = await fetch(`http://${host}/v2/app/referrers/${subject}`);
      const listed = api.ok
        ? api
        : await fetch(`http://${host}/v2/app/manifests/${subject.replace(':', '-')}`, {
            headers: { accept: mediaTypes.ociIndex },
          });
      const { manifests } = (await listed.json()) as { manifests: readonly { digest: string }[] };
      assert.deepEqual(
        manifests.map(({ digest }) => digest),
        [artifact.descriptor.digest],
      );
      from = to;
    }
  });
});

interface Place {
  readonly host: string;
  readonly repository: string;
  /** With tag. */
  readonly name: string;
}

function at(host: string, repository = 'team/app'): Place {
  return { host, repository, name: `${host}/${repository}:1` };
}

/** Writes the image as `oci:start:1`, without ocictl. */
async function startLayout(t: TestContext, built: Built): Promise<void> {
  await writeLayout(join((await sandbox(t)).home, 'start'), '1', built);
}

async function copy(t: TestContext, from: string, to: string): Promise<void> {
  await run(t, ['copy', '-q', from, to]);
}

async function run(t: TestContext, words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** Checks the bytes that skopeo reads, and that it can copy all of them with its own digest checks. */
async function askSkopeo(t: TestContext, { host, repository }: Place, built: Built, refuses?: RegExp): Promise<void> {
  const name = `docker://${host}/${repository}:1`;
  const raw = await skopeo(t, ['inspect', '--raw', '--tls-verify=false', name]);
  assert.equal(raw.stdout, Buffer.from(built.manifest.bytes).toString());
  const directory = join((await sandbox(t)).home, `judged-${host}-${repository}`.replace(/[:/]/g, '-'));
  const words = ['copy', '-q', '--all', '--preserve-digests', '--src-tls-verify=false', name, `dir:${directory}`];
  if (refuses) await assert.rejects(skopeo(t, words), refuses);
  else {
    await skopeo(t, words);
    await assertSame(skopeoDirectoryAt(directory), '1', built);
  }
}

function layers(count: number): LayerSpec[] {
  return Array.from({ length: count }, (_, i) => ({ files: { [`layer/${i}`]: `content of layer ${i}\n` } }));
}

function imageOf(specs: readonly LayerSpec[], architecture = 'amd64') {
  return buildImage({ layers: specs, platform: { os: 'linux', architecture } });
}

async function attestedIndex(): Promise<Built> {
  const [amd64, arm64] = [await imageOf(layers(2), 'amd64'), await imageOf(layers(3), 'arm64')];
  const attestations = [await buildAttestation(amd64), await buildAttestation(arm64)];
  return buildIndex([amd64, arm64, ...attestations], { annotations: { 'org.example.built-by': 'ä test' } });
}

async function nestedIndex(): Promise<Built> {
  const inner = await buildIndex([await imageOf(layers(1), 'amd64'), await imageOf(layers(2), 'arm64')]);
  const middle = await buildIndex([inner, await imageOf(layers(3), 'riscv64')]);
  // One image below two parents.
  return buildIndex([middle, inner, await imageOf(layers(1), 'amd64')]);
}

async function artifactWithSubject(): Promise<Built> {
  const { mediaType, digest, size } = (await imageOf(layers(1))).descriptor;
  return buildArtifact({ artifactType: 'application/vnd.example.sbom', subject: { mediaType, digest, size } });
}

function mixedImage(): Promise<Built> {
  const [one = layer('a'), two = layer('b'), three = layer('c')] = layers(3);
  return imageOf([
    { ...one, compression: 'zstd' },
    { ...two, compression: 'none' },
    { ...three, compression: 'gzip' },
  ]);
}

function layer(name: string): LayerSpec {
  return { files: { [name]: name } };
}

async function emptyLayer(): Promise<Built> {
  const nothing = await buildBlob(new Uint8Array(0), mediaTypes.ociLayer);
  return buildImage({ layers: [layer('before'), { ...nothing, diffId: nothing.descriptor.digest }, layer('after')] });
}

async function emptyArtifact(): Promise<Built> {
  const empty = await buildBlob('{}', mediaTypes.ociEmpty);
  return buildArtifact({ artifactType: 'application/vnd.example.flag', blobs: [empty] });
}
