import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { buildImage, buildIndex, pushImage } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { keepImage } from '../support/local-store.ts';
import { startServe } from '../support/registries.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { imageFor } from './copy/places.ts';

async function twoPlatforms() {
  const make = (architecture: string) =>
    buildImage({ platform: { os: 'linux', architecture }, layers: [{ files: { a: architecture } }] });
  const images = [await make('amd64'), await make('s390x')] as const;
  return { images, index: await buildIndex(images) };
}

describe('ocictl digest --full-ref', () => {
  it('prints the full name with the digest', async (t) => {
    const image = await imageFor('amd64');
    await keepImage(t, 'app:1', image);
    const { stdout } = await ocictl(t, ['digest', '--full-ref', 'store:app:1']);
    assert.equal(stdout, `store:docker.io/library/app@${image.descriptor.digest}\n`);
  });
});

describe('ocictl digest', () => {
  it('prints the digest of the whole, and of one platform, of a registry, a layout and the store', async (t) => {
    const { images, index } = await twoPlatforms();
    const { host, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('app'), parseTag('1'), index);
    const directory = await temporaryDirectory(t);
    await writeLayout(directory, '1', index);
    await ocictl(t, ['pull', '-q', '--platform', 'all', `${host}/app:1`]);
    for (const word of [
      `${host}/app:1`,
      `${host}/app@${index.descriptor.digest}`,
      `oci:${directory}:1`,
      `store:${host}/app:1`,
    ]) {
      const whole = await ocictl(t, ['digest', word]);
      assert.deepEqual([whole.stdout, whole.stderr], [`${index.descriptor.digest}\n`, '']);
      const one = await ocictl(t, ['digest', '--platform', 'linux/s390x', word]);
      assert.equal(one.stdout, `${images[1].descriptor.digest}\n`);
    }
    const { mediaType, digest, size } = index.descriptor;
    const json = await ocictl(t, ['digest', '--json', `${host}/app:1`]);
    assert.deepEqual(JSON.parse(json.stdout), { reference: `${host}/app:1`, digest, mediaType, size });
  });

  it('prints nothing and ends with status 3 for a missing image', async (t) => {
    const { index } = await twoPlatforms();
    const { host, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('app'), parseTag('1'), index);
    for (const words of [
      [`${host}/app:2`],
      [`${host}/none`],
      [`store:${host}/app:1`],
      ['--platform', 'linux/arm64', `${host}/app:1`],
    ]) {
      const { exitCode, stdout } = await ocictl(t, ['digest', ...words]);
      assert.deepEqual([exitCode, stdout], [3, ''], words.join(' '));
    }
  });

  it('refuses an invalid platform with status 2', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['digest', '--platform', 'bogus', 'app']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /unknown platform/);
  });
});
