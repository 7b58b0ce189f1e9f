import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { destinationCreds } from '../../../src/commands/copy/dest-creds.ts';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, blobsIn, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, one, type Place, startPlace, writes } from './places.ts';

describe('ocictl copy to several destinations', () => {
  it('reads each byte of the source once for two registries and a layout, and prints a line for each', async (t) => {
    const { from, image, name } = await source(t);
    const [first, second] = [await startPlace(t), await startPlace(t)];
    const words = [`${first.host}/team/app:1`, 'oci:dir:1', `${second.host}/other/app:2`];
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', name, ...words]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `${words.join('\n')}\n`);
    await assertWhole(first.registry, app, image);
    const registry = await openLayout({ directory: join((await sandbox(t)).home, 'dir'), readOnly: true });
    await assertWhole(registry, layoutRepository, image);
    assert.equal(from.proxy.sentBytes(/\/blobs\//), sizeOf(image));
    const manifests = from.proxy.requests.filter(
      ({ method, path }) => method === 'GET' && path.includes('/manifests/'),
    );
    assert.equal(manifests.length, 3);
  });

  it('gives each destination what it lacks, with a JSON document for each', async (t) => {
    const { from, image, name } = await source(t);
    const [full, empty] = [await startPlace(t), await startPlace(t)];
    await pushImage(full.registry, app, one, image);
    const words = [full, empty].map(({ host }) => `${host}/team/app:1`);
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--json', name, ...words]);
    assert.equal(exitCode, 0, stderr);
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      results.map((result) => [result['destination'], result['changed'], result['transferredBytes']]),
      [
        [words[0], false, 0],
        [words[1], true, sizeOf(image)],
      ],
    );
    assert.deepEqual(writes(full.proxy), []);
    assert.equal(from.proxy.sentBytes(/\/blobs\//), sizeOf(image));
  });

  it('sends each byte once to a registry of which two repositories are destinations, and mounts it in the other', async (t) => {
    const { from, image, name } = await source(t);
    const [both, third] = [await startPlace(t), await startPlace(t)];
    const words = [`${both.host}/team/app:1`, `${third.host}/team/app:1`, `${both.host}/other/app:1`];
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', name, ...words]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `${words.join('\n')}\n`);
    for (const repo of [app, parseRepositoryName('other/app')]) await assertWhole(both.registry, repo, image);
    assert.equal(from.proxy.sentBytes(/\/blobs\//), sizeOf(image));
    const uploaded = both.proxy.requests.filter(({ path }) => path.includes('/blobs/uploads/'));
    assert.equal(
      uploaded.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
      sizeOf(image),
    );
    const mounts = uploaded.filter(({ path }) => /other.*mount=.*from=team|team.*mount=.*from=other/.test(path));
    assert.equal(mounts.length, blobsIn(image).length);
  });

  it('ends with status 8 where one fails, and with its own where all do', async (t) => {
    const { image, name } = await source(t);
    const [good, bad] = [await startPlace(t), await startPlace(t)];
    bad.proxy.fail({ path: /\/blobs\/uploads\//, status: 403 });
    const words = [bad, good].map(({ host }) => `${host}/team/app:1`);
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', name, ...words]);
    assert.equal(exitCode, 8, stderr);
    assert.equal(stdout, `${words[1]}\n`);
    assert.match(stderr, new RegExp(`^${words[0]}: `, 'm'));
    assert.match(stderr, /error: 1 of 2 could not be copied\n/);
    await assertWhole(good.registry, app, image);
    const none = await ocictl(t, ['copy', name, `${bad.host}/team/app:1`, `${bad.host}/team/app:2`]);
    assert.equal(none.exitCode, 4, none.stderr);
  });

  it('refuses a destination that is given twice', async (t) => {
    const { name } = await source(t);
    const to = `${(await startPlace(t)).host}/team/app`;
    const twice = await ocictl(t, ['copy', name, `${to}:latest`, to]);
    assert.equal(twice.exitCode, 8, twice.stderr);
    assert.match(twice.stderr, /is given twice/);
  });
});

describe('--dest-creds', () => {
  const [one, two] = ['one.example.com/a:1', 'two.example.com:5000/b'];

  it('are for the host that they name, whatever is in the password', () => {
    const creds = destinationCreds(['two.example.com:5000=u:p=1,2:3', 'one.example.com=v:w'], [one, two, 'oci:dir']);
    assert.deepEqual([one, two, 'oci:dir'].map(creds), ['v:w', 'u:p=1,2:3', undefined]);
  });

  it('need no host where there is one only', () => {
    assert.equal(destinationCreds(['u:p=q'], [one, 'oci:dir'])(one), 'u:p=q');
    assert.throws(() => destinationCreds(['u:p'], [one, two]), /not clear which host/);
  });

  it('are sent to no other host than the one that was written', () => {
    assert.throws(
      () => destinationCreds(['three.example.com=u:secret'], [one]),
      (error: Error) => /three\.example\.com/.test(error.message) && !/secret/.test(error.message),
    );
  });
});

async function source(t: TestContext): Promise<{ from: Place; image: Built; name: string }> {
  const from = await startPlace(t);
  const images = await Promise.all(
    ['amd64', 'arm64'].map(async (architecture) =>
      buildImage({
        platform: { os: 'linux', architecture },
        layers: [await randomLayer(2_000_000, architecture), await randomLayer(100_000, `small ${architecture}`)],
      }),
    ),
  );
  const image = await buildIndex(images);
  await pushImage(from.registry, app, one, image);
  return { from, image, name: `${from.host}/team/app:1` };
}

function sizeOf(image: Built): number {
  return blobsIn(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}
