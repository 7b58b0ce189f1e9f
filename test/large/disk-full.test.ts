import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { smallDisk } from '../support/programs/small-disk.ts';
import { startServe } from '../support/registries.ts';

const MB = 1_000_000;
const repo = parseRepositoryName('team/app');

describe('a disk that is full', { timeout: 120_000 }, () => {
  it('ends a pull with status 10 and a hint, and breaks nothing', async (t) => {
    const store = await smallDisk(t, 24 * MB);
    if (store === undefined) return;
    const { host, registry } = await startServe(t);
    const small = await buildImage({ layers: [await randomLayer(2 * MB, 'small')] });
    const large = await buildImage({ layers: [await randomLayer(60 * MB, 'large')] });
    await pushImage(registry, repo, parseTag('small'), small);
    await pushImage(registry, repo, parseTag('large'), large);
    const env = { OCICTL_ROOT: store };

    const fits = await ocictl(t, ['pull', '-q', `${host}/team/app:small`], { env });
    assert.equal(fits.exitCode, 0, fits.stderr);
    const full = await ocictl(t, ['pull', '-q', `${host}/team/app:large`], { env });
    assert.equal(full.exitCode, 10, full.stderr);
    assert.equal(full.stdout, '');
    assert.match(full.stderr, /no space|full/i);

    const listed = await ocictl(t, ['images', '--json'], { env });
    assert.equal(listed.exitCode, 0, listed.stderr);
    assert.equal((JSON.parse(listed.stdout) as { digest: string }).digest, small.descriptor.digest);
    const json = await ocictl(t, ['pull', '--json', `${host}/team/app:large`], { env });
    assert.equal(json.exitCode, 10, json.stderr);
    const { error } = JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string } };
    assert.equal(error.code, 'STORAGE_FULL');
    const removed = await ocictl(t, ['rmi', `${host}/team/app:small`], { env });
    assert.equal(removed.exitCode, 0, removed.stderr);
  });
});
