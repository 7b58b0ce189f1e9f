import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { readConfig } from '../../src/registry/config.ts';
import { digestOfTag, tagsPointingAt } from '../../src/registry/tags.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';

const app = parseRepositoryName('app');
const [image, other] = await Promise.all(
  ['a', 'b'].map((name) => buildImage({ layers: [{ files: { [name]: name } }] })),
);
assert.ok(image && other);

describe('the tags that point at a digest', () => {
  it('are those of more than are asked at once, in their order, and no others', async () => {
    const registry = memoryRegistry();
    const tags = Array.from({ length: 20 }, (_, i) => parseTag(`t${String(i).padStart(2, '0')}`));
    for (const [i, tag] of tags.entries()) await pushImage(registry, app, tag, i % 3 === 0 ? other : image);
    const wanted = tags.filter((_, i) => i % 3 !== 0);
    assert.deepEqual(await tagsPointingAt(registry, app, image.descriptor.digest), wanted);
  });

  it('have no digest if they are missing', async () => {
    const registry = memoryRegistry();
    await pushImage(registry, app, parseTag('1'), image);
    assert.equal(await digestOfTag(registry, app, parseTag('1')), image.descriptor.digest);
    assert.equal(await digestOfTag(registry, app, parseTag('2')), undefined);
    assert.equal(await digestOfTag(registry, parseRepositoryName('none'), parseTag('1')), undefined);
  });
});

describe('a config', () => {
  it('is read unchanged, and not at all if its descriptor says it is too large', async () => {
    const registry = memoryRegistry();
    await pushImage(registry, app, parseTag('1'), image);
    const { descriptor } = image.config;
    assert.equal((await readConfig(registry, app, descriptor)).length, descriptor.size);
    const huge = { ...descriptor, size: 5 * 1024 * 1024 };
    await assert.rejects(readConfig(registry, app, huge), /has 5242880 bytes, more than the 4194304 that are read/);
  });
});
