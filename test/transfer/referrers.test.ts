import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { TransferOptions } from '../../src/transfer/options.ts';
import { type TransferResult, transfer } from '../../src/transfer/transfer.ts';
import { all } from '../contract/contract.ts';
import { type Built, buildArtifact, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { intercept } from '../support/network/intercept.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('v1');

/** An index of two images, a signature of the index, one of an image, and a comment on the first signature. */
async function signed(): Promise<{ source: Registry; index: Built; image: Built; about: Record<string, Built> }> {
  const images = await Promise.all(
    ['amd64', 'arm64'].map((name) =>
      buildImage({ platform: parsePlatform(`linux/${name}`), layers: [{ files: { name } }] }),
    ),
  );
  const image: Built | undefined = images[0];
  assert.ok(image);
  const index = await buildIndex(images);
  const source = memoryRegistry();
  await pushImage(source, repo, tag, index);
  const whole = await buildArtifact({ artifactType: 'a/signature', subject: index.descriptor });
  const part = await buildArtifact({ artifactType: 'a/parts', subject: image.descriptor });
  const comment = await buildArtifact({ artifactType: 'a/comment', subject: whole.descriptor });
  for (const artifact of [whole, part, comment]) await pushImage(source, repo, undefined, artifact);
  return { source, index, image, about: { whole, part, comment } };
}

function copy(source: Registry, target: Registry, options: Partial<TransferOptions>): Promise<TransferResult> {
  const from = { registry: source, repo, reference: tag };
  return transfer({ from, to: { registry: target, repo, tags: [tag] }, ...options }).result;
}

async function listed(registry: Registry, ...subjects: readonly (Built | undefined)[]): Promise<readonly Digest[]> {
  const found: Digest[] = [];
  for (const subject of subjects) {
    if (!subject) continue;
    for (const { digest } of await all(registry.referrers(repo, subject.descriptor.digest))) found.push(digest);
  }
  return found;
}

const digests = (...built: readonly (Built | undefined)[]): readonly (Digest | undefined)[] =>
  built.map((one) => one?.descriptor.digest);

describe('a transfer with what speaks about the image', () => {
  it('takes along the referrers of the index, of its images and of referrers, each after its subject', async () => {
    const { source, index, image, about } = await signed();
    const order: (Digest | undefined)[] = [];
    const target = intercept(memoryRegistry(), {
      pushManifest: async (next, ...args) => {
        const stored = await next(...args);
        order.push(stored.digest);
        return stored;
      },
    });
    const { referrers } = await copy(source, target, { referrers: true });
    assert.deepEqual(
      await listed(target, index, image, about['whole']),
      digests(about['whole'], about['part'], about['comment']),
    );
    assert.equal(referrers.length, 3);
    for (const [subject, referrer] of [
      [index, about['whole']],
      [image, about['part']],
      [about['whole'], about['comment']],
    ]) {
      assert.ok(order.indexOf(subject?.descriptor.digest) < order.indexOf(referrer?.descriptor.digest));
    }
  });

  it('takes only those of the types that are named', async () => {
    const { source, index, image, about } = await signed();
    const target = memoryRegistry();
    await copy(source, target, { referrers: { artifactTypes: ['a/parts'] } });
    assert.deepEqual(await listed(target, index, image), digests(about['part']));
  });

  it('leaves them where they are unless asked', async () => {
    const { source, index, image } = await signed();
    const target = memoryRegistry();
    assert.deepEqual((await copy(source, target, {})).referrers, []);
    assert.deepEqual(await listed(target, index, image), []);
  });

  it('brings those that came since to an image that is there already, from one server to another', async (t) => {
    const { source, index, image, about } = await signed();
    const from = openRemote(t, (await startServe(t, { registry: source })).url);
    const to = openRemote(t, (await startServe(t)).url);
    await copy(from, to, {});
    const second = await copy(from, to, { referrers: true });
    assert.equal(second.changed, true);
    assert.deepEqual(
      await listed(to, index, image, about['whole']),
      digests(about['whole'], about['part'], about['comment']),
    );
    assert.equal((await copy(from, to, { referrers: true })).changed, false);
  });

  it('skips what is listed and gone', async () => {
    const { source, index, about } = await signed();
    const gone = about['part']?.descriptor.digest;
    const forgetful = intercept(source, {
      getManifest: (next, ...args) => next(args[0], args[1] === gone ? parseTag('gone') : args[1], args[2]),
    });
    const { referrers } = await copy(forgetful, memoryRegistry(), { referrers: true });
    assert.deepEqual(referrers.map(({ digest }) => digest).includes(index.descriptor.digest), false);
    assert.equal(referrers.length, 2);
  });
});
