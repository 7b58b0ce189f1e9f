import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { annotated, writeImage } from '../commands/inspect/inspected-images.ts';
import { ocictl } from '../support/command.ts';
import { type Built, buildArtifact, buildAttestation, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { buildBlob, buildLayer } from '../support/layer.ts';
import { type DockerRegistry, needs, skopeo, startDockerRegistry } from '../support/programs.ts';
import { openRemote } from '../support/remotes.ts';

const host = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** The images that both programs inspect. */
async function images(): Promise<Readonly<Record<string, Built>>> {
  const layers = ['a', 'b', 'c'].map((name) => ({ files: { [name]: name } }));
  const [mine, other] = [
    await buildImage({ platform: { os: 'linux', architecture: host }, layers }),
    await buildImage({ platform: { os: 'linux', architecture: 's390x' }, layers }),
  ];
  const base = {
    created: '2024-01-02T03:04:05.120000Z',
    architecture: host,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
  };
  const layer = await buildLayer({ files: { a: 'a' } });
  const plain = await buildLayer({ files: { b: 'b' }, compression: 'none' });
  const zstd = await buildLayer({ files: { c: 'c' }, mediaType: mediaTypes.ociLayerZstd });
  return {
    'plain-oci': mine,
    'docker-format': await buildImage({ format: 'docker', layers, run: { Labels: { a: 'b' }, Env: [] } }),
    'index-with-attestations': await buildIndex([
      other,
      mine,
      await buildAttestation(mine),
      await buildAttestation(other),
    ]),
    'many-layers': await buildImage({
      layers: Array.from({ length: 60 }, (_, i) => ({ files: { [`f${i}`]: String(i) } })),
    }),
    'labels-and-env': await writeImage({
      config: {
        ...base,
        docker_version: '20.10.7',
        config: {
          Labels: {
            z: '',
            'org.example.text': '<é> & "q" \\ \u2028 \n\t',
            'org.example.word': '<é> & "q"',
            a: '1',
            '10': 'x',
            '9': 'y',
            __proto: 'p',
          },
          Env: ['PATH=/bin', 'EMPTY=', 'WITH=a=b', 'ü=\u0001'],
        },
      },
    }),
    'zstd-and-plain-layers': await writeImage({ config: base, layers: [plain, zstd, layer] }),
    'empty-layers': await writeImage({
      config: {
        ...base,
        history: [
          { created: base.created, created_by: 'ADD a' },
          { created: base.created, created_by: 'ENV A=b', empty_layer: true },
        ],
      },
      layers: [layer, await buildBlob('', mediaTypes.ociLayer), layer],
    }),
    'layer-annotations': await writeImage({
      config: { ...base, config: { Labels: {}, Env: null } },
      layers: [annotated(layer, { z: '1', a: '<2>' }), annotated(plain, {})],
      annotations: { 'org.opencontainers.image.title': 'annotated' },
    }),
    'nothing-in-the-config': await writeImage({ config: {}, layers: [] }),
    'nothing-in-a-docker-config': await writeImage({ config: { created: null }, format: 'docker' }),
    'docker-layer-annotations': await writeImage({
      config: { ...base, created: '2024-01-02T03:04:05.1+02:00', config: null },
      layers: [
        annotated({ ...layer, descriptor: { ...layer.descriptor, mediaType: mediaTypes.dockerLayer } }, { a: 'b' }),
      ],
      format: 'docker',
    }),
  };
}

async function push(t: TestContext, to: DockerRegistry, name: string, built: Built, tag = '1.0'): Promise<string> {
  const remote = openRemote(t, to.url);
  await pushImage(remote, parseRepositoryName(`team/${name}`), parseTag(tag), built);
  return `${to.host}/team/${name}:${tag}`;
}

const skopeoKeys = 'Name Digest RepoTags Created DockerVersion Labels Architecture Os Layers LayersData Env'.split(' ');

describe('ocictl inspect --json', () => {
  it("equals skopeo inspect on skopeo's keys, in its order, for images of many kinds", async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const registry = await startDockerRegistry(t);
    const all = Object.entries(await images());
    assert.ok(all.length >= 8);
    for (const [name, built] of all) {
      const word = await push(t, registry, name, built);
      const theirs = await skopeo(t, ['inspect', '--tls-verify=false', `docker://${word}`]);
      const ours = await ocictl(t, ['inspect', '--json', word]);
      assert.equal(ours.exitCode, 0, `${name}: ${ours.stderr}`);
      assert.equal(ours.stderr, '');
      assertSame(name, ours.stdout, theirs.stdout);
      const raw = await ocictl(t, ['inspect', '--raw', word]);
      assert.equal(raw.stdout, Buffer.from(built.manifest.bytes).toString(), name);
    }
  });

  it('lists every tag, as skopeo does, and none with --no-tags', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const registry = await startDockerRegistry(t);
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    for (const tag of ['latest', '1.0', 'a-b', 'A.B', '1.10']) await push(t, registry, 'app', image, tag);
    const word = `${registry.host}/team/app:1.0`;
    for (const more of [[], ['--no-tags']]) {
      const theirs = await skopeo(t, ['inspect', '--tls-verify=false', ...more, `docker://${word}`]);
      const ours = await ocictl(t, ['inspect', '--json', ...more, word]);
      assertSame(more.join(' '), ours.stdout, theirs.stdout);
    }
  });

  it('prints configs that mean what skopeo prints, and templates that give what skopeo gives', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const registry = await startDockerRegistry(t);
    const { 'labels-and-env': image } = await images();
    assert.ok(image);
    const word = await push(t, registry, 'app', image);
    const both = async (...words: string[]) => {
      const theirs = await skopeo(t, ['inspect', '--tls-verify=false', ...words, `docker://${word}`]);
      const ours = await ocictl(t, ['inspect', ...words, word]);
      assert.equal(ours.exitCode, 0, ours.stderr);
      return [ours.stdout, theirs.stdout] as const;
    };
    const [raw, theirRaw] = await both('--config', '--raw');
    assert.equal(raw, theirRaw);
    const [config, theirConfig] = (await both('--config')).map((text) => JSON.parse(text) as Record<string, unknown>);
    for (const key of ['architecture', 'os', 'config', 'rootfs'])
      assert.deepEqual(config?.[key], theirConfig?.[key], key);
    const templates = [
      '{{.Digest}}',
      '{{.Name}}:{{.Architecture}}/{{.Os}}\\n',
      '{{range .Layers}}{{.}} {{end}}',
      '{{index .Labels "org.example.word"}}|{{index .Labels "none"}}',
      '{{range $k, $v := .Labels}}{{$k}}={{len $v}};{{end}}',
      '{{.Env}} {{len .Env}} {{with .Labels}}{{.a}} {{.none}}{{end}}',
      '{{- if eq .Os "linux" -}} L {{- else -}} W {{end}}!',
    ];
    for (const template of templates) {
      const [ours, theirs] = await both('--format', template);
      assert.equal(ours, theirs, template);
    }
    const [ours, theirs] = await both(
      '--config',
      '--format',
      '{{.OS}} {{.Config.Env}} {{range .RootFS.DiffIDs}}{{.}}{{end}}',
    );
    assert.equal(ours, theirs);
  });

  it('shows an artifact, which skopeo refuses', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const registry = await startDockerRegistry(t);
    const artifact = await buildArtifact({ artifactType: 'application/vnd.example.sbom', annotations: { a: 'b' } });
    const word = await push(t, registry, 'sbom', artifact);
    await assert.rejects(skopeo(t, ['inspect', '--tls-verify=false', `docker://${word}`]));
    const ours = await ocictl(t, ['inspect', '--json', word]);
    const record = JSON.parse(ours.stdout) as Record<string, unknown>;
    assert.equal(record['ArtifactType'], 'application/vnd.example.sbom');
    assert.deepEqual([record['Created'], record['Labels'], record['Architecture']], [null, null, '']);
  });
});

/** Compares the keys that skopeo's output has; LayersData exists since skopeo 1.11. */
function assertSame(name: string, ours: string, theirs: string): void {
  const record = JSON.parse(ours) as Record<string, unknown>;
  const keys = Object.keys(record);
  assert.deepEqual(keys.slice(0, skopeoKeys.length), skopeoKeys, name);
  const expected = JSON.parse(theirs) as Record<string, unknown>;
  // ocictl sorts lists; skopeo prints them in the registry's order.
  if (Array.isArray(expected['RepoTags'])) expected['RepoTags'].sort();
  const shared = Object.fromEntries(keys.filter((key) => key in expected).map((key) => [key, record[key]]));
  // Compared as text, so that the order of the keys counts.
  assert.equal(JSON.stringify(shared, undefined, 1), JSON.stringify(expected, undefined, 1), name);
  const layers = record['LayersData'] as readonly { Digest: string }[];
  assert.deepEqual(
    layers.map(({ Digest }) => Digest),
    record['Layers'],
    name,
  );
}
