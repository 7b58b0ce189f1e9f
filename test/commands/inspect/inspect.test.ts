import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { hostPlatform } from '../../../src/model/platform/platform.ts';
import { formatBytes } from '../../../src/terminal/format.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, buildAttestation, buildImage, buildIndex } from '../../support/images.ts';
import { buildBlob } from '../../support/layer.ts';
import { writeLayout } from '../../support/layout.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { richImage, serveImages, writeImage } from './inspected-images.ts';

const host = hostPlatform().architecture;
const foreign = { os: 'linux', architecture: 's390x' };
const digestOf = (built: Built): string => built.descriptor.digest;

describe('ocictl inspect, for eyes', () => {
  it('shows all that a config sets, and each layer with the line that made it', async (t) => {
    const image = await richImage();
    const at = await serveImages(t, { app: image });
    const { stdout, stderr, exitCode } = await ocictl(t, ['inspect', `${at}/app:1.0`]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    const [first, second] = image.layers.map(({ descriptor: { digest, size } }) => {
      // The sizes depend on the version of zlib.
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
  it('shows stored images, marks missing ones, and prefers stored ones', async (t) => {
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

  it('is named by a hint if the store has an image that the registry lacks, and only then', async (t) => {
    const at = await serveImages(t, { app: await richImage() });
    await ocictl(t, ['pull', '-q', `${at}/app:1.0`]);
    await ocictl(t, ['tag', `${at}/app:1.0`, `${at}/mine:2`]);
    for (const [command, ...more] of [['inspect'], ['digest'], ['copy', `${at}/copied:1`]] as const) {
      const { exitCode, stderr } = await ocictl(t, [command, `${at}/mine:2`, ...more]);
      assert.equal(exitCode, 3);
      assert.ok(stderr.includes(`; the local store has an image of this name: store:${at}/mine:2\n`), stderr);
      assert.doesNotMatch((await ocictl(t, [command, `${at}/mine:3`, ...more])).stderr, /local store/);
    }
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
