import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { hostPlatform } from '../../../src/model/platform/platform.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { buildIndex } from '../../support/images.ts';
import { needs } from '../../support/programs.ts';
import { richImage, serveImages, writeImage } from './inspected-images.ts';

const foreign = { os: 'linux', architecture: 's390x' };

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

describe('ocictl inspect of missing and malformed images', () => {
  it('ends with status 3 for missing, and with 7 for malformed images', async (t) => {
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
      [['text:1.0'], 7, /malformed image config: it is not a JSON object\nhint: .*--config --raw/],
      [['--config', 'text:1.0'], 7, /config of .*text:1\.0 is not JSON/],
      [['env:1.0'], 7, /malformed image config: "config\.Env" must be a list/],
      [['--json', 'time:1.0'], 7, /\\"created\\" must be a time/],
      [['history:1.0'], 7, /"history\.1\.empty_layer" must be true or false/],
      [['--config', 'deep:1.0'], 7, /config of .*deep:1\.0 nests too deep to be shown/],
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

  it('recognises schema 1, and refuses to inspect it', async (t) => {
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

  it('warns if tags may not be listed, and requests no list with --no-tags', async (t) => {
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
    assert.match(denied.stderr, /^\{"type":"warning",.*tags/);
    const asked = server.lines.length;
    const without = await ocictl(t, ['inspect', '--json', '--no-tags', `${server.host}/app:1`]);
    assert.deepEqual((JSON.parse(without.stdout) as { RepoTags: unknown }).RepoTags, []);
    assert.equal(without.stderr, '');
    assert.ok(!server.lines.slice(asked).some((line) => line.includes('tags/list')));
  });

  it('asks for no manifest twice, since each counts as a pull', async (t) => {
    const image = await writeImage({ config: {}, platform: hostPlatform() });
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
    assert.deepEqual(manifests, ['GET /v2/app/manifests/1', `GET /v2/app/manifests/${image.descriptor.digest}`]);
  });
});
