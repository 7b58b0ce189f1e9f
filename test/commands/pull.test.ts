import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { type Built, buildAttestation, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { deadAddress } from '../support/network/ports.ts';
import { type ServedRegistry, startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';
import { app, imageFor, startPlace } from './copy/places.ts';

const alpine = parseRepositoryName('library/alpine');
const latest = parseTag('latest');
const host = process.arch === 'arm64' ? 'arm64' : 'amd64';
const other = host === 'amd64' ? 'arm64' : 'amd64';

interface Hub extends ServedRegistry {
  readonly index: Built;
  /** The image for this machine. */
  readonly image: Built;
  readonly otherImage: Built;
}

/** A registry in place of Docker Hub: alpine:latest and alpine:3 for two platforms. */
async function startHub(t: TestContext): Promise<Hub> {
  const served = await startServe(t);
  const make = (architecture: string): Promise<Built> =>
    buildImage({
      platform: { os: 'linux', architecture },
      layers: ['a', 'b', 'c'].map((name) => ({ files: { [name]: `${name} for ${architecture}` } })),
    });
  const [image, otherImage] = [await make(host), await make(other)];
  const index = await buildIndex([image, otherImage, await buildAttestation(image)]);
  await pushImage(served.registry, alpine, latest, index);
  await pushImage(served.registry, alpine, parseTag('3'), index);
  const { daemonJson } = await sandbox(t);
  await writeFile(daemonJson, JSON.stringify({ 'registry-mirrors': [served.url] }));
  return { ...served, index, image, otherImage };
}

const shortLayers = (image: Built): string[] =>
  image.blobs.slice(1).map(({ descriptor }) => descriptor.digest.slice(7, 19));

describe('ocictl pull', () => {
  it('prints what docker pull prints, on stdout, and nothing else there', async (t) => {
    const hub = await startHub(t);
    const { exitCode, stdout } = await ocictl(t, ['pull', 'alpine']);
    assert.equal(exitCode, 0);
    const lines = stdout.trimEnd().split('\n');
    const layers = lines.slice(2, -3);
    assert.deepEqual(lines.slice(0, 2), ['Using default tag: latest', 'latest: Pulling from library/alpine']);
    assert.deepEqual(
      layers.sort(),
      shortLayers(hub.image)
        .map((id) => `${id}: Pull complete`)
        .sort(),
    );
    assert.deepEqual(lines.slice(-3), [
      `Digest: ${hub.index.descriptor.digest}`,
      'Status: Downloaded newer image for alpine:latest',
      'docker.io/library/alpine:latest',
    ]);
  });

  it('says that the image is up to date the second time', async (t) => {
    await startHub(t);
    await ocictl(t, ['pull', 'alpine']);
    const { stdout } = await ocictl(t, ['pull', 'alpine']);
    assert.match(stdout, /^Status: Image is up to date for alpine:latest$/m);
    assert.doesNotMatch(stdout, /Pull complete/);
  });

  it('prints only the full name with -q, and nothing on stderr', async (t) => {
    await startHub(t);
    const { stdout, stderr } = await ocictl(t, ['pull', '-q', 'alpine:3']);
    assert.deepEqual([stdout, stderr], ['docker.io/library/alpine:3\n', '']);
  });

  it('tells as JSON what came from where', async (t) => {
    const hub = await startHub(t);
    const { stdout } = await ocictl(t, ['pull', '--json', 'alpine']);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(result['digest'], hub.index.descriptor.digest);
    assert.equal(result['status'], 'downloaded');
    assert.equal(result['endpoint'], hub.url);
    assert.equal((result['layers'] as unknown[]).length, 3);
  });

  it('pulls several platforms, and all of them', async (t) => {
    const hub = await startHub(t);
    await ocictl(t, ['pull', '-q', '--platform', `linux/${host},linux/${other}`, 'alpine']);
    const listed = await ocictl(t, ['images', '--json']);
    const { platforms } = JSON.parse(listed.stdout) as { platforms: { present: boolean }[] };
    assert.deepEqual(
      platforms.map(({ present }) => present),
      [true, true],
    );
    const { exitCode } = await ocictl(t, ['pull', '-q', '--platform', 'all', `${hub.host}/library/alpine`]);
    assert.equal(exitCode, 0);
  });

  it('pulls by digest', async (t) => {
    const hub = await startHub(t);
    const name = `alpine@${hub.otherImage.descriptor.digest}`;
    const { exitCode, stdout } = await ocictl(t, ['pull', name]);
    assert.equal(exitCode, 0);
    assert.match(stdout, new RegExp(`^docker.io/library/${name}: Pulling from library/alpine$`, 'm'));
    assert.match(stdout, new RegExp(`^docker.io/library/${name}$`, 'm'));
  });

  it('pulls every tag with -a', async (t) => {
    await startHub(t);
    const { exitCode, stdout } = await ocictl(t, ['pull', '-a', 'alpine']);
    assert.equal(exitCode, 0);
    assert.match(stdout, /^3: Pulling from library\/alpine$/m);
    assert.match(stdout, /^latest: Pulling from library\/alpine$/m);
    const { stdout: images } = await ocictl(t, ['images']);
    assert.equal(images.trimEnd().split('\n').length, 3);
  });

  const usage: [title: string, words: string[], message: RegExp, hint: RegExp][] = [
    ['a scheme', ['pull', 'https://docker.io/ubuntu'], /invalid reference format/, /did you mean docker\.io\/ubuntu/],
    ['an uppercase name', ['pull', 'Ubuntu'], /repository name must be lowercase/, /did you mean ubuntu/],
    ['a tag with -a', ['pull', '-a', 'alpine:3'], /tag can't be used with --all-tags\/-a/, /repository alone/],
    ['the reserved name', ['pull', 'scratch'], /'scratch' is a reserved name/, /nothing to pull/],
    ['no name', ['pull'], /missing required argument/, /usage: ocictl pull/i],
    ['an unknown flag', ['pull', '--quite', 'alpine'], /unknown option '--quite'/, /--quiet/],
    ['an unknown command', ['pul', 'alpine'], /unknown command 'pul'/, /pull/],
    ['a bad platform', ['pull', '--platform', '///', 'alpine'], /platform/, /./],
    ['a bad mirror', ['pull', '--registry-mirror', 'ftp://m', 'alpine'], /mirror/, /./],
  ];
  for (const [title, words, message, hint] of usage) {
    it(`refuses ${title} with status 2 and what to do`, async (t) => {
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.match(stderr, hint);
    });
  }

  it('says that an image is not there: status 3', async (t) => {
    const hub = await startHub(t);
    const { exitCode, stderr } = await ocictl(t, ['pull', `${hub.host}/library/alpine:nope`]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /manifest for .*library\/alpine:nope not found/);
  });

  it('says which platforms there are: status 3', async (t) => {
    await startHub(t);
    const { exitCode, stderr } = await ocictl(t, ['pull', '--platform', 'linux/s390x', 'alpine']);
    assert.equal(exitCode, 3);
    assert.match(stderr, /no matching manifest for linux\/s390x/);
    assert.match(stderr, /linux\/amd64/);
  });

  it('says that nobody answers: status 5, with the endpoint in the JSON error', async (t) => {
    const closed = await deadAddress();
    const { exitCode, stdout, stderr } = await ocictl(t, ['pull', '--json', `${closed}/app`]);
    assert.equal(exitCode, 5);
    assert.equal(stdout, '');
    const last = stderr.trimEnd().split('\n').at(-1) ?? '';
    const { error } = JSON.parse(last) as { error: Record<string, unknown> };
    assert.equal(error['code'], 'NETWORK');
    assert.equal(error['retryable'], true);
  });

  it('goes on to the next endpoint when a mirror is down, and says so in one line', async (t) => {
    const closed = await deadAddress();
    const hub = await startHub(t);
    const mirrors = [`http://${closed}`, hub.url].flatMap((url) => ['--registry-mirror', url]);
    const { exitCode, stderr } = await ocictl(t, ['pull', ...mirrors, 'alpine']);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stderr.match(/, trying /g)?.length, 1);
    assert.match(
      stderr,
      new RegExp(
        `^warning: mirror ${closed} cannot be reached \\(connection refused\\), trying mirror ${hub.host}$`,
        'm',
      ),
    );
  });
});

describe('ocictl pull --all-tags of which one is bad', () => {
  it('pulls the others, names the bad ones and ends with status 8', async (t) => {
    const { registry, host, proxy } = await startPlace(t);
    for (const tag of ['1', '2', '3', '4'])
      await pushImage(registry, app, parseTag(tag), await imageFor('amd64', [tag]));
    proxy.fail({ path: /\/manifests\/2$/, status: 404 });
    proxy.fail({ path: /\/manifests\/3$/, status: 404 });
    const { exitCode, stdout, stderr } = await ocictl(t, ['pull', '-q', '-a', `${host}/team/app`]);
    assert.equal(exitCode, 8, stderr);
    assert.equal(stdout, `${host}/team/app:1\n${host}/team/app:4\n`);
    assert.match(stderr, /^error: 2 of 4 tags could not be pulled: 2, 3$/m);
    assert.match(stderr, /^127\S+:2: manifest for .* not found/m);
    const { stdout: images } = await ocictl(t, ['images', '--format', '{{.Tag}}']);
    assert.equal(images, '1\n4\n');
  });

  it('stops where the registry is the trouble', async (t) => {
    const { registry, host, proxy } = await startPlace(t);
    const tags = Array.from({ length: 200 }, (_, at) => parseTag(`v${at}`));
    const image = await imageFor('amd64');
    await pushImage(registry, app, undefined, image);
    await registry.pushManifest(app, image.manifest, { tags });
    proxy.fail({ path: /\/manifests\//, status: 403 });
    const { exitCode } = await ocictl(t, ['pull', '-q', '-a', `${host}/team/app`]);
    assert.equal(exitCode, 4);
    // Some are asked for at the same time.
    assert.ok(proxy.count(/\/manifests\//) < 100, `${proxy.count(/\/manifests\//)} of 200`);
  });
});

describe('ocictl images', () => {
  it('lists an empty store as a heading alone', async (t) => {
    const { exitCode, stdout } = await ocictl(t, ['images']);
    assert.deepEqual([exitCode, stdout], [0, 'REPOSITORY   TAG   IMAGE ID   CREATED   SIZE\n']);
  });

  it('shows name, tag, image ID, age and size, and digests when asked', async (t) => {
    const hub = await startHub(t);
    await ocictl(t, ['pull', '-q', 'alpine']);
    const { stdout } = await ocictl(t, ['images', '--digests']);
    const [heading = '', line = ''] = stdout.split('\n');
    assert.match(heading, /^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$/);
    const config = hub.image.blobs[0]?.descriptor.digest.slice(7, 19);
    assert.match(line, new RegExp(`^alpine +latest +${hub.index.descriptor.digest} +${config} +\\d+ \\w+ ago +\\d`));
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, `${config}\n`);
  });

  it('shows only the repository or tag asked for', async (t) => {
    await startHub(t);
    await ocictl(t, ['pull', '-q', '-a', 'alpine']);
    assert.equal((await ocictl(t, ['images', '-q', 'alpine:3'])).stdout.trim().split('\n').length, 1);
    assert.equal((await ocictl(t, ['images', '-q', 'alpine'])).stdout.trim().split('\n').length, 2);
    assert.equal((await ocictl(t, ['images', '-q', 'busybox'])).stdout, '');
  });
});

describe('ocictl rmi', () => {
  it('takes a tag away and keeps the image that another tag names', async (t) => {
    await startHub(t);
    await ocictl(t, ['pull', '-q', '-a', 'alpine']);
    const { stdout } = await ocictl(t, ['rmi', 'alpine:3']);
    assert.equal(stdout, 'Untagged: alpine:3\n');
    assert.match((await ocictl(t, ['images'])).stdout, /^alpine +latest/m);
  });

  it('deletes the image with its last tag, and every blob of it', async (t) => {
    const hub = await startHub(t);
    await ocictl(t, ['pull', '-q', 'alpine']);
    const { exitCode, stdout } = await ocictl(t, ['rmi', 'alpine']);
    assert.equal(exitCode, 0);
    for (const { descriptor } of [...hub.image.blobs, hub.index, hub.image]) {
      assert.match(stdout, new RegExp(`^Deleted: ${descriptor.digest}$`, 'm'));
    }
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, '');
  });

  it('removes by image ID; several names of one ID only with --force', async (t) => {
    await startHub(t);
    await ocictl(t, ['pull', '-q', '-a', 'alpine']);
    const id = (await ocictl(t, ['images', '-q'])).stdout.split('\n')[0] ?? '';
    const refused = await ocictl(t, ['rmi', id]);
    assert.equal(refused.exitCode, 9);
    assert.match(refused.stderr, /several names: alpine:3, alpine:latest/);
    assert.equal((await ocictl(t, ['rmi', '--force', id, id])).exitCode, 0);
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, '');
  });

  it('says what is not there: status 3, and 8 when it was one of several', async (t) => {
    await startHub(t);
    await ocictl(t, ['pull', '-q', 'alpine']);
    const missing = await ocictl(t, ['rmi', 'nope']);
    assert.equal(missing.exitCode, 3);
    assert.match(missing.stderr, /No such image: nope:latest/);
    const partly = await ocictl(t, ['rmi', 'nope', 'alpine']);
    assert.equal(partly.exitCode, 8);
    assert.match(partly.stdout, /Untagged: alpine:latest/);
  });
});
