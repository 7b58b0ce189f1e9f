import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildArtifact, buildIndex, pushImage, rawManifest } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { ada } from '../support/login-servers.ts';
import { askedScopes, startTokenServe } from '../support/logins/token-serve.ts';
import { app, imageFor, one, startPlace, two } from './copy/places.ts';

const image = await imageFor('amd64', ['a']);
const other = await imageFor('amd64', ['b']);

/** A registry behind a proxy, with an image as team/app:1 and another as :2. */
async function startFilled(t: TestContext) {
  const place = await startPlace(t);
  await pushImage(place.registry, app, one, image);
  await pushImage(place.registry, app, two, other);
  const requests = (): string[] => place.proxy.requests.map(({ method, path }) => `${method} ${path}`);
  return { ...place, name: `${place.host}/team/app`, requests };
}

describe('ocictl tag --remote', () => {
  it('reads the manifest once, and writes it under each tag', async (t) => {
    const { name, registry, requests } = await startFilled(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['tag', '--remote', `${name}:1`, '2', 'stable', 'stable']);
    assert.deepEqual([exitCode, stdout], [0, `Tagged: ${name}:2\nTagged: ${name}:stable\n`], stderr);
    for (const tag of ['1', '2', 'stable']) {
      assert.equal((await registry.statManifest(app, parseTag(tag))).digest, image.descriptor.digest);
    }
    const [first, ...rest] = requests();
    assert.equal(first, 'GET /v2/team/app/manifests/1');
    assert.deepEqual(rest.sort(), ['PUT /v2/team/app/manifests/2', 'PUT /v2/team/app/manifests/stable']);
  });

  it('takes a digest, an index and an artifact, and changes neither bytes nor media type', async (t) => {
    const { name, registry } = await startFilled(t);
    const index = await buildIndex([image], { format: 'docker' });
    await pushImage(registry, app, undefined, index);
    const artifact = await buildArtifact({ artifactType: 'text/spec', subject: image.descriptor });
    await pushImage(registry, app, undefined, artifact);
    for (const [tag, { manifest, descriptor }] of Object.entries({ list: index, note: artifact })) {
      const { exitCode, stderr } = await ocictl(t, ['tag', '--remote', `${name}@${descriptor.digest}`, tag]);
      assert.equal(exitCode, 0, stderr);
      const got = await registry.getManifest(app, parseTag(tag));
      assert.equal(got.mediaType, manifest.mediaType);
      assert.deepEqual(Buffer.from(got.bytes), Buffer.from(manifest.bytes));
    }
  });

  it('prints one JSON document with --json', async (t) => {
    const { name } = await startFilled(t);
    const { stdout } = await ocictl(t, ['tag', '--remote', '--json', `${name}:1`, 'a', 'b']);
    const { mediaType, digest } = image.descriptor;
    assert.deepEqual(JSON.parse(stdout), { reference: `${name}:1`, digest, mediaType, tags: ['a', 'b'] });
  });

  it('asks for one token, that may pull and push', async (t) => {
    const { url, registry, issuer } = await startTokenServe(t);
    const proxy = await startFaultProxy(t, url);
    await pushImage(registry, app, one, image);
    const words = ['tag', '--remote', '--creds', `${ada.username}:${ada.password}`, `${proxy.host}/team/app:1`, 'a'];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(askedScopes(issuer), ['repository:team/app:pull,push']);
    // The first request gets the challenge.
    assert.deepEqual(
      proxy.requests.map(({ method, path, status }) => `${method} ${path} ${status}`),
      ['GET /v2/team/app/manifests/1 401', 'GET /v2/team/app/manifests/1 200', 'PUT /v2/team/app/manifests/a 201'],
    );
  });

  it('says which tag the registry does not move, and moves the others: 9 for one, 8 for some', async (t) => {
    const { name, registry, proxy } = await startFilled(t);
    const body = JSON.stringify({ errors: [{ code: 'TAG_INVALID', message: "tag '2' is immutable" }] });
    const headers = { 'content-type': 'application/json' };
    proxy.fail({ method: 'PUT', path: /manifests\/2$/, status: 400, body, headers });
    const alone = await ocictl(t, ['tag', '--remote', `${name}:1`, '2']);
    assert.deepEqual([alone.exitCode, alone.stdout], [9, '']);
    assert.match(alone.stderr, /immutable/);
    const some = await ocictl(t, ['tag', '--remote', `${name}:1`, '2', 'stable']);
    assert.deepEqual([some.exitCode, some.stdout], [8, `Tagged: ${name}:stable\n`]);
    assert.match(some.stderr, /^\S+\/team\/app:2: .*immutable/m);
    assert.match(some.stderr, /1 of 2 tags could not be set: 2$/m);
    assert.equal((await registry.statManifest(app, two)).digest, other.descriptor.digest);
  });

  const refusals: readonly (readonly [string, (name: string) => readonly string[], number, RegExp])[] = [
    ['a name for a tag', (name) => ['--remote', `${name}:1`, 'app:2'], 2, /takes tags only.*\n.*ocictl copy \S+ app:2/],
    ['a tag that is none', (name) => ['--remote', `${name}:1`, '-x'.slice(1), '.x'], 2, /invalid tag/],
    ['no tag', (name) => ['--remote', `${name}:1`], 2, /missing required argument/],
    ['a layout', () => ['--remote', 'oci:dir', '1'], 2, /not a name in a registry/],
    ['two names in the store', (name) => [`${name}:1`, 'a', 'b'], 2, /takes one new name/],
    ['credentials for the store', (name) => ['--anonymous', `${name}:1`, 'a'], 2, /--anonymous is for --remote/],
    ['an image that is not there', (name) => ['--remote', `${name}:9`, 'a'], 3, /team\/app:9 not found/],
  ];
  for (const [title, words, status, message] of refusals) {
    it(`refuses ${title} with status ${status}`, async (t) => {
      const { name, proxy } = await startFilled(t);
      const { exitCode, stdout, stderr } = await ocictl(t, ['tag', ...words(name)]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
      if (status === 2) assert.equal(proxy.requests.length, 0);
    });
  }

  it('refuses content that is not a manifest, and writes nothing', async (t) => {
    const { name, proxy, registry } = await startFilled(t);
    const { bytes } = rawManifest('application/vnd.oci.image.manifest.v1+json', { config: 'no descriptor' });
    proxy.fail({ method: 'GET', path: /manifests\/1$/, status: 200, body: bytes });
    assert.equal((await ocictl(t, ['tag', '--remote', `${name}:1`, 'a'])).exitCode, 7);
    await assert.rejects(registry.statManifest(app, parseTag('a')), (error) => isOciError(error, 'MANIFEST_UNKNOWN'));
  });
});

describe('ocictl tag of a registry’s image to a bare word', () => {
  it('notes on a terminal that the store was changed, and how to set the tag in the registry', async (t) => {
    await keepImage(t, 'localhost:5000/base/app:1.0', image);
    const told = 'named stable:latest in the local store; for the tag stable in the registry: ';
    const words = ['localhost:5000/base/app:1.0', 'stable'];
    const { exitCode, stdout } = await ocictl(t, ['tag', ...words], { tty: true, columns: 200 });
    assert.deepEqual([exitCode, stdout], [0, `${told}ocictl tag --remote ${words.join(' ')}\r\n`]);
    assert.equal((await ocictl(t, ['images', '--quiet', 'stable'])).stdout.split('\n').length, 2);
    const silent = [
      [words, { tty: false }],
      [['localhost:5000/base/app:1.0', 'stable:1'], { tty: true, columns: 200 }],
      [['stable', 'other'], { tty: true, columns: 200 }],
    ] as const;
    for (const [quiet, options] of silent) {
      const result = await ocictl(t, ['tag', ...quiet], options);
      assert.deepEqual([result.exitCode, result.stdout, result.stderr], [0, '', ''], quiet.join(' '));
    }
  });
});
