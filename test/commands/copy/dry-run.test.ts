import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { type Built, blobsIn, buildArtifact, pushImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, buildDemoIndex, imageFor, one, type Place, startPlace, writes } from './places.ts';

describe('ocictl copy --dry-run', () => {
  it('says what would move, ends with 12 and writes nothing; the copy then moves exactly that', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index } = await buildDemoIndex();
    const old = await imageFor('amd64', ['old']);
    await pushImage(from.registry, app, one, index);
    await pushImage(to.registry, app, one, old);
    const words = ['--json', `${from.host}/team/app:1`, `${to.host}/team/app:1`];
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--dry-run', ...words]);
    assert.equal(exitCode, 12, stderr);
    const plan = JSON.parse(stdout) as Record<string, unknown> & { blobs: { size: number; action: string }[] };
    assert.deepEqual(plan['tags'], [{ tag: '1', from: old.descriptor.digest, to: index.descriptor.digest }]);
    assert.equal(plan['digest'], index.descriptor.digest);
    assert.deepEqual([...new Set(plan.blobs.map(({ action }) => action))], ['copy']);
    for (const { proxy } of [from, to]) assert.deepEqual(writes(proxy), []);
    assert.ok(from.proxy.requests.every(({ path }) => !path.includes('/blobs/')));
    assert.ok(to.proxy.requests.every(({ method, path }) => method === 'HEAD' || path === '/v2/'));
    const made = await ocictl(t, ['copy', ...words]);
    const { transferredBytes } = JSON.parse(made.stdout) as { transferredBytes: number };
    assert.equal(
      transferredBytes,
      plan.blobs.reduce((sum, { size }) => sum + size, 0),
    );
    const again = await ocictl(t, ['copy', '--dry-run', ...words.slice(1)]);
    assert.deepEqual([again.exitCode, again.stderr], [0, '']);
    assert.match(again.stdout, /nothing to do/);
  });

  it('tells mounts from bytes, and what is present', async (t) => {
    const place = await startPlace(t);
    const { index, amd64 } = await buildDemoIndex();
    await pushImage(place.registry, app, one, index);
    const { exitCode, stdout } = await ocictl(t, [
      'copy',
      '--dry-run',
      `${place.host}/team/app:1`,
      `${place.host}/b:1`,
    ]);
    assert.equal(exitCode, 12);
    assert.match(stdout, new RegExp(`blobs: 0 to copy, ${blobsIn(index).length} to mount, 0 present`));
    const other = await startPlace(t);
    await pushImage(other.registry, app, undefined, amd64);
    const partly = await ocictl(t, ['copy', '--dry-run', `${place.host}/team/app:1`, `${other.host}/team/app:1`]);
    assert.match(partly.stdout, /tag 1: new -> sha256:/);
    assert.match(partly.stdout, /manifests: 4 of 5 to copy/);
  });

  it('prints a document for each destination, and leaves no layout behind', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    await pushImage(from.registry, app, one, await imageFor('amd64'));
    const words = ['--json', `${from.host}/team/app:1`, `${to.host}/team/app:1`, 'oci:dir:1'];
    const { exitCode, stdout } = await ocictl(t, ['copy', '--dry-run', ...words]);
    assert.equal(exitCode, 12);
    const plans = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { destination: string; bytes: number });
    assert.deepEqual(
      plans.map(({ destination }) => destination),
      words.slice(2),
    );
    assert.equal(plans[0]?.bytes, plans[1]?.bytes);
    assert.equal(existsSync(join((await sandbox(t)).home, 'dir')), false);
  });

  it('counts signatures, and fails as the copy would', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const image = await imageFor('amd64');
    await pushImage(from.registry, app, one, image);
    const referrer = await buildArtifact({ artifactType: 'a/parts', subject: image.descriptor });
    await pushImage(from.registry, app, undefined, referrer);
    const names = [`${from.host}/team/app:1`, `${to.host}/team/app:1`];
    const { stdout } = await ocictl(t, ['copy', '--dry-run', '--json', '--referrers', ...names]);
    assert.deepEqual((JSON.parse(stdout) as Record<string, unknown>)['referrers'], [referrer.descriptor.digest]);
    assert.equal((await ocictl(t, ['copy', '--dry-run', `${from.host}/team/app:nope`, names[1] ?? ''])).exitCode, 3);
  });
});

describe('ocictl copy --check', () => {
  async function places(t: Parameters<typeof startPlace>[0]): Promise<{ to: Place; image: Built; names: string[] }> {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index: image } = await buildDemoIndex();
    await pushImage(from.registry, app, one, image);
    return { to, image, names: [`${from.host}/team/app:1`, `${to.host}/team/app:1`] };
  }

  it('counts what it found', async (t) => {
    const { image, names } = await places(t);
    for (const flag of ['--check', '--check-bytes']) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--json', flag, ...names]);
      assert.equal(exitCode, 0, stderr);
      const { checked } = JSON.parse(stdout) as Record<string, unknown>;
      assert.deepEqual(checked, { manifests: 5, blobs: blobsIn(image).length });
    }
  });

  it('names what is missing: status 3', async (t) => {
    const { to, image, names } = await places(t);
    const lost = blobsIn(image)[1]?.descriptor.digest ?? '';
    to.proxy.fail({ method: 'HEAD', path: new RegExp(`/blobs/${lost}`), status: 404 });
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--check', ...names]);
    assert.deepEqual([exitCode, stdout], [3, ''], stderr);
    assert.match(stderr, new RegExp(`the copy lacks blob ${lost}\nhint: .*copy it again`));
  });

  it('finds wrong bytes with --check-bytes: status 7', async (t) => {
    const { to, image, names } = await places(t);
    const wrong = blobsIn(image)[1]?.descriptor.digest ?? '';
    to.proxy.fail({ method: 'GET', path: new RegExp(`/blobs/${wrong}`), flipByteAt: 10 });
    assert.equal((await ocictl(t, ['copy', '--check', ...names])).exitCode, 0);
    for (const flag of ['--check-bytes', '--check=bytes']) {
      assert.equal((await ocictl(t, ['copy', flag, ...names])).exitCode, 7);
    }
  });
});
