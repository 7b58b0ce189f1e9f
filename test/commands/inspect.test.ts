import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { mediaTypes } from '../../src/model/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference.ts';
import { formatBytes } from '../../src/terminal/format.ts';
import { ocictl } from '../support/command.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type Built, buildArtifact, buildAttestation, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { buildBlob, buildLayer } from '../support/layer.ts';
import { writeLayout } from '../support/layout.ts';
import { needs } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { writeImage } from './inspected-images.ts';

const host = process.arch === 'arm64' ? 'arm64' : 'amd64';
const mine = { os: 'linux', architecture: host };
const foreign = { os: 'linux', architecture: 's390x' };

/** An image that sets whatever a config can set. */
async function richImage() {
  const layers = [
    await buildLayer({ files: { a: 'a' } }),
    await buildLayer({ files: { b: 'b'.repeat(5000) }, compression: 'none' }),
  ];
  return writeImage({
    config: {
      created: '2024-01-02T03:04:05.120Z',
      author: 'Ann',
      architecture: host,
      os: 'linux',
      config: {
        Entrypoint: ['/entry'],
        Cmd: ['a', 'b c'],
        Env: ['PATH=/bin', 'A=b'],
        User: 'app',
        WorkingDir: '/work',
        ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
        Volumes: { '/data': {} },
        StopSignal: 'SIGQUIT',
        Labels: { version: '1.2', 'org.example': 'x' },
      },
      history: [
        { created_by: '/bin/sh -c #(nop) ADD file:1 in / ' },
        { created_by: '/bin/sh -c apt-get update &&\n\tapt-get install', comment: 'buildkit' },
        { created_by: 'CMD ["a"]', empty_layer: true },
      ],
    },
    layers,
    platform: mine,
  });
}

/** Serves images by repository, each tagged 1.0. */
async function serveImages(t: TestContext, images: Readonly<Record<string, Built>>): Promise<string> {
  const served = await startServe(t);
  for (const [name, built] of Object.entries(images)) {
    await pushImage(served.registry, parseRepositoryName(name), parseTag('1.0'), built);
  }
  return served.host;
}

const digestOf = (built: Built): string => built.descriptor.digest;

describe('ocictl inspect, for eyes', () => {
  it('shows all that a config sets, and each layer with the line that made it', async (t) => {
    const image = await richImage();
    const at = await serveImages(t, { app: image });
    const { stdout, stderr, exitCode } = await ocictl(t, ['inspect', `${at}/app:1.0`]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    const [first, second] = image.layers.map(({ descriptor: { digest, size } }) => {
      // Other versions of zlib pack otherwise.
      return `${digest.slice(7, 19)}   ${formatBytes(size).padEnd(6)}`;
    });
    const total = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.equal(
      stdout.replace(/\(\d+ years? ago\)/, '(AGE)'),
      `Name:         ${at}/app:1.0
Digest:       ${digestOf(image)}
Media type:   ${mediaTypes.ociManifest}

Config:
  Created:       2024-01-02T03:04:05.12Z (AGE)
  Platform:      linux/${host}
  Author:        Ann
  Entrypoint:    ["/entry"]
  Cmd:           ["a","b c"]
  User:          app
  Working dir:   /work
  Env:           PATH=/bin
                 A=b
  Ports:         80/tcp
                 443/tcp
  Volumes:       /data
  Stop signal:   SIGQUIT
  Labels:        version=1.2
                 org.example=x

Layers: 2, with the config ${formatBytes(total)}
  ${first}   gzip   ADD file:1 in /
  ${second}   tar    RUN apt-get update && apt-get install
                                 CMD ["a"]
`,
    );
  });

  it('lists the platforms of an index, attestations and nested indexes folded, and shows the one of this machine', async (t) => {
    const [image, other] = [await richImage(), await buildImage({ platform: foreign, layers: [] })];
    const attestation = await buildAttestation(image);
    const nested = await buildIndex([
      await buildImage({ platform: { ...foreign, architecture: 'riscv64' }, layers: [] }),
    ]);
    const index = await buildIndex([other, image, attestation, nested], { annotations: { k: 'v' } });
    const at = await serveImages(t, { app: index });
    const { stdout } = await ocictl(t, ['inspect', `${at}/app:1.0`]);
    const lines = stdout.split('\n').map((line) => line.trimEnd());
    const place = lines.indexOf('Platforms:');
    const shown = lines
      .slice(place + 1, place + 6)
      .map((line) => /^( *)(.*?) {3,}(\S+)/.exec(line)?.slice(1, 4).join('|'));
    assert.deepEqual(shown, [
      `  |linux/s390x|${digestOf(other)}`,
      `  |linux/${host}|${digestOf(image)}`,
      `    |attestation-manifest|${digestOf(attestation)}`,
      `  |index|${digestOf(nested)}`,
      `    |linux/riscv64|${nested.children.map(digestOf).join()}`,
    ]);
    assert.match(lines[place + 2] ?? '', /\(shown below\)$/);
    assert.match(stdout, /^Annotations: +k=v$/m);
    assert.match(stdout, new RegExp(`^Image:\n {2}Digest: +${digestOf(image)}$`, 'm'));
    assert.match(stdout, /^ {2}Author: +Ann$/m);

    const asked = await ocictl(t, ['inspect', '--platform', 'linux/s390x', `${at}/app:1.0`]);
    assert.match(asked.stdout, new RegExp(`^Image:\n {2}Digest: +${digestOf(other)}$`, 'm'));
  });

  it('shows the index alone, and says why, where it has nothing for this machine', async (t) => {
    const index = await buildIndex([await buildImage({ platform: foreign, layers: [] })]);
    const at = await serveImages(t, { app: index });
    const { stdout, exitCode } = await ocictl(t, ['inspect', `${at}/app:1.0`]);
    assert.equal(exitCode, 0);
    assert.match(stdout, /linux\/s390x/);
    assert.match(stdout, /no matching manifest for linux\/\w+ .*--platform/);
    const asked = await ocictl(t, ['inspect', '--platform', 'windows/amd64', `${at}/app:1.0`]);
    assert.equal(asked.exitCode, 3);
    assert.match(asked.stderr, /no matching manifest for windows\/amd64/);
  });

  it('shows an artifact with its type, subject and files', async (t) => {
    const image = await richImage();
    const title = { 'org.opencontainers.image.title': 'report.txt' };
    const file = await buildBlob('text', 'text/plain');
    const blobs = [{ ...file, descriptor: { ...file.descriptor, annotations: title } }];
    const artifact = await buildArtifact({ artifactType: 'application/vnd.example', subject: image.descriptor, blobs });
    const at = await serveImages(t, { app: artifact });
    const { stdout } = await ocictl(t, ['inspect', `${at}/app:1.0`]);
    assert.match(stdout, /^Artifact type: +application\/vnd\.example$/m);
    assert.match(stdout, new RegExp(`^Subject: +${digestOf(image)}$`, 'm'));
    assert.match(stdout, /^ {2}blob 1 +sha256:\S+ +4B +text\/plain +report\.txt$/m);
    assert.doesNotMatch(stdout, /Config:/);
  });

  it('does not guess which line made which layer where they do not fit', async (t) => {
    const image = await writeImage({ config: { history: [{ created_by: 'ONE' }, { created_by: 'TWO' }] } });
    const at = await serveImages(t, { app: image });
    const { stdout } = await ocictl(t, ['inspect', `${at}/app:1.0`]);
    assert.match(stdout, /^Layers: 1,/m);
    assert.doesNotMatch(stdout, /ONE|TWO/);
  });

  it('lets no control character of a registry through', async (t) => {
    const evil = 'x\u001b]0;title\u0007\u009b31m\u202e\r\u0000';
    const image = await writeImage({
      config: {
        architecture: evil,
        os: evil,
        author: evil,
        config: { Labels: { [evil]: evil }, Env: [evil], Cmd: [evil], User: evil, Volumes: { [evil]: {} } },
        history: [{ created_by: evil }],
      },
      annotations: { [evil]: evil },
    });
    const platform = { os: evil, architecture: evil };
    const index = await buildIndex([image, { ...image, descriptor: { ...image.descriptor, platform } }], {
      annotations: { [evil]: evil },
    });
    const at = await serveImages(t, { app: index, image });
    for (const words of [['app'], ['image'], ['--json', 'image'], ['--config', 'image']]) {
      const word = `${at}/${words.at(-1)}:1.0`;
      const { stdout, exitCode } = await ocictl(t, ['inspect', ...words.slice(0, -1), word]);
      assert.equal(exitCode, 0);
      assert.doesNotMatch(stdout, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}]/u);
    }
  });
});

describe('ocictl inspect of layouts and of the local store', () => {
  it('shows what is here, marks what is not, and prefers what is here', async (t) => {
    const [image, other] = [await richImage(), await buildImage({ platform: foreign, layers: [] })];
    const at = await serveImages(t, { app: await buildIndex([image, other]) });
    await ocictl(t, ['pull', '-q', '--platform', 'linux/s390x', `${at}/app:1.0`]);
    const { stdout, exitCode } = await ocictl(t, ['inspect', `store:${at}/app:1.0`]);
    assert.equal(exitCode, 0);
    assert.match(stdout, new RegExp(`linux/${host} .*\\(not here\\)$`, 'm'));
    assert.match(stdout, /linux\/s390x .*\(shown below\)$/m);
    const absent = await ocictl(t, ['inspect', '--platform', `linux/${host}`, `store:${at}/app:1.0`]);
    assert.equal(absent.exitCode, 3);
    assert.match(absent.stderr, /is here without its image for linux\/\w+\nhint: it is here for linux\/s390x/);
    const none = await ocictl(t, ['inspect', `store:${at}/app:2.0`]);
    assert.deepEqual([none.exitCode, none.stderr.split('\n')[0]], [3, `error: No such image: ${at}/app:2.0`]);
  });

  it('shows an image of a layout, whose repository has no name', async (t) => {
    const directory = await temporaryDirectory(t);
    const image = await richImage();
    await writeLayout(directory, '1.0', image);
    for (const word of [`oci:${directory}`, `oci:${directory}:1.0`]) {
      const { stdout } = await ocictl(t, ['inspect', '--json', word]);
      const record = JSON.parse(stdout) as Record<string, unknown>;
      assert.equal(record['Digest'], digestOf(image));
      assert.equal('Name' in record, false);
      assert.match((await ocictl(t, ['inspect', word])).stdout, /^ {2}Author: +Ann$/m);
    }
    const none = await ocictl(t, ['inspect', `oci:${directory}:2.0`]);
    assert.equal(none.exitCode, 3);
  });
});

describe('ocictl inspect --raw and --config', () => {
  it('give the exact bytes, of the root, of the image and of the config', async (t) => {
    const image = await writeImage({
      config: '{ "os":"linux",\n\t"architecture": "s390x", "x": 1.0, "ü\u0301": null }',
      platform: foreign,
    });
    const index = await buildIndex([image]);
    const at = await serveImages(t, { app: index });
    const raw = await ocictl(t, ['inspect', '--raw', `${at}/app:1.0`]);
    assert.equal(raw.stdout, Buffer.from(index.manifest.bytes).toString());
    const asked = ['--platform', 'linux/s390x', `${at}/app:1.0`];
    const ofImage = await ocictl(t, ['inspect', '--raw', ...asked]);
    assert.equal(ofImage.stdout, Buffer.from(image.manifest.bytes).toString());
    const config = await ocictl(t, ['inspect', '--raw', '--config', ...asked]);
    assert.equal(config.stdout, '{ "os":"linux",\n\t"architecture": "s390x", "x": 1.0, "ü\u0301": null }');
    const pretty = await ocictl(t, ['inspect', '--config', ...asked]);
    assert.equal(
      pretty.stdout,
      '{\n    "os": "linux",\n    "architecture": "s390x",\n    "x": 1,\n    "ü\u0301": null\n}\n',
    );
  });

  it('escape control characters on a terminal, where they could take it over', async (t) => {
    if (!needs(t, 'script')) return;
    const image = await writeImage({
      config: { config: { Labels: { a: 'x\u009b31my' } } },
      annotations: { b: 'x\u009b31my' },
    });
    const at = await serveImages(t, { app: image });
    for (const words of [['--raw'], ['--config', '--raw'], ['--format', '{{.Labels.a}}']]) {
      const { stdout } = await ocictl(t, ['inspect', ...words, `${at}/app:1.0`], { tty: true });
      assert.match(stdout, /x\\u\{9b\}31my/);
      assert.doesNotMatch(stdout, /\u009b/);
      const piped = await ocictl(t, ['inspect', ...words, `${at}/app:1.0`]);
      assert.match(piped.stdout, /x\u009b31my/);
    }
  });
});

describe('ocictl inspect --format', () => {
  it('prints fields of the image, and with --config of its config', async (t) => {
    const image = await richImage();
    const at = await serveImages(t, { app: image });
    const format = async (template: string, ...more: string[]) =>
      (await ocictl(t, ['inspect', '--format', template, ...more, `${at}/app:1.0`])).stdout;
    assert.equal(await format('{{index .Labels "version"}}'), '1.2\n');
    assert.equal(await format('{{json .Env}}'), '["PATH=/bin","A=b"]\n');
    assert.equal(
      await format('{{range .LayersData}}{{.Size}}\\n{{end}}'),
      image.layers.map(({ descriptor }) => `${descriptor.size}\n`).join(''),
    );
    assert.equal(await format('{{.Config.User}} {{join .Config.Cmd ","}}', '--config'), 'app a,b c\n');
    assert.equal(await format('json'), (await ocictl(t, ['inspect', '--json', `${at}/app:1.0`])).stdout);
  });

  it('ends with status 2 on a template that is wrong, before it asks a registry where it can', async (t) => {
    const unknown = await ocictl(t, ['inspect', '--format', '{{.Digest', '127.0.0.1:1/app']);
    assert.deepEqual([unknown.exitCode, unknown.stdout], [2, '']);
    assert.match(unknown.stderr, /template, character 1: .*not closed/);
    const at = await serveImages(t, { app: await richImage() });
    const field = await ocictl(t, ['inspect', '--format', '{{.Digset}}', `${at}/app:1.0`]);
    assert.equal(field.exitCode, 2);
    assert.match(field.stderr, /there is no field \.Digset\nhint: the fields are \.Name, \.Digest, /);
  });

  it('refuses two ways to print at once', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['inspect', '--raw', '--json', 'app']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /conflicting options: --raw and --json/);
  });
});

describe('ocictl inspect of what is not right', () => {
  it('says with status 3 what is not there, and with 7 what is malformed', async (t) => {
    const at = await serveImages(t, {
      app: await richImage(),
      text: await writeImage({ config: 'no json' }),
      env: await writeImage({ config: { config: { Env: 'A=b' } } }),
      time: await writeImage({ config: { created: 'yesterday' } }),
      history: await writeImage({ config: { history: [{}, { empty_layer: 'yes' }] } }),
      deep: await writeImage({ config: '['.repeat(100_000) + ']'.repeat(100_000) }),
      huge: await writeImage({ config: `"${'x'.repeat(4 * 1024 * 1024)}"` }),
    });
    const cases: readonly (readonly [words: string[], status: number, message: RegExp])[] = [
      [['app:2.0'], 3, /app:2\.0/],
      [['none:1.0'], 3, /none/],
      [['text:1.0'], 7, /malformed image config: it is no JSON object\nhint: .*--config --raw/],
      [['--config', 'text:1.0'], 7, /config of .*text:1\.0 is not JSON/],
      [['env:1.0'], 7, /malformed image config: "config\.Env" must be a list/],
      [['--json', 'time:1.0'], 7, /"created" must be a time/],
      [['history:1.0'], 7, /"history\.1\.empty_layer" must be true or false/],
      [['--config', 'deep:1.0'], 7, /nested more than 20 levels/],
      [['huge:1.0'], 7, /config sha256:\w+ has 4194306 bytes, more than the 4194304/],
      [['--config', '--raw', 'huge:1.0'], 7, /more than the 4194304/],
      [['--platform', 'linux/s390x', 'app:1.0'], 3, /the image is for linux\/\w+ alone/],
    ];
    for (const [words, status, message] of cases) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['inspect', ...words.slice(0, -1), `${at}/${words.at(-1)}`]);
      assert.deepEqual([exitCode, stdout], [status, ''], `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
    }
  });

  it('recognises schema 1, and refuses to take it for more', async (t) => {
    const body = JSON.stringify({
      schemaVersion: 1,
      name: 'old',
      tag: '1',
      architecture: 'amd64',
      fsLayers: [],
      history: [],
    });
    const server = await startFakeServer(t, ({ path }, response) => {
      if (path === '/v2/') return response.end('{}');
      response.setHeader('content-type', mediaTypes.dockerSchema1);
      response.end(body);
    });
    const { stdout, exitCode } = await ocictl(t, ['inspect', `${server.host}/old:1`]);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^Kind: +image in Docker's format schema 1/m);
    const raw = await ocictl(t, ['inspect', '--raw', `${server.host}/old:1`]);
    assert.equal(raw.stdout, body);
    for (const flag of ['--json', '--config']) {
      const refused = await ocictl(t, ['inspect', flag, `${server.host}/old:1`]);
      assert.deepEqual([refused.exitCode, refused.stdout], [1, '']);
      assert.match(refused.stderr, /schema 1/);
    }
  });

  it('goes on with a warning where tags may not be listed, and asks for none with --no-tags', async (t) => {
    const image = await writeImage({ config: {} });
    const server = await startFakeServer(t, ({ path }, response) => {
      if (path === '/v2/') return response.end('{}');
      if (path.endsWith('/tags/list')) {
        response.statusCode = 403;
        return response.end('{"errors":[{"code":"DENIED","message":"no list"}]}');
      }
      const blob = path.includes('/blobs/');
      response.setHeader('content-type', blob ? mediaTypes.octetStream : image.manifest.mediaType);
      if (!blob) return response.end(image.manifest.bytes);
      return response.end('{}');
    });
    const denied = await ocictl(t, ['inspect', '--json', `${server.host}/app:1`]);
    assert.equal(denied.exitCode, 0, denied.stderr);
    assert.equal((JSON.parse(denied.stdout) as { RepoTags: unknown }).RepoTags, null);
    assert.match(denied.stderr, /^warning: .*tags/);
    const asked = server.lines.length;
    const without = await ocictl(t, ['inspect', '--json', '--no-tags', `${server.host}/app:1`]);
    assert.deepEqual((JSON.parse(without.stdout) as { RepoTags: unknown }).RepoTags, []);
    assert.equal(without.stderr, '');
    assert.ok(!server.lines.slice(asked).some((line) => line.includes('tags/list')));
  });

  it('asks for no manifest twice, since each counts as a pull', async (t) => {
    const image = await writeImage({ config: {}, platform: mine });
    const index = await buildIndex([image]);
    const server = await startFakeServer(t, ({ path }, response) => {
      if (path === '/v2/') return response.end('{}');
      if (path.includes('/blobs/')) return response.end('{}');
      const { mediaType, bytes } = (path.endsWith('/1') ? index : image).manifest;
      response.setHeader('content-type', mediaType);
      response.end(bytes);
    });
    await ocictl(t, ['inspect', '--json', '--no-tags', `${server.host}/app:1`]);
    const manifests = server.lines.filter((line) => line.includes('/manifests/'));
    assert.deepEqual(manifests, ['GET /v2/app/manifests/1', `GET /v2/app/manifests/${digestOf(image)}`]);
  });
});
