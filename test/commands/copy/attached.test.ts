import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { all } from '../../contract/contract.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, buildIndex, pushImage } from '../../support/images.ts';
import { app, buildDemoIndex, imageFor, one, type Place, startPlace, two, writes } from './places.ts';

describe('ocictl copy --referrers and --digest-tags', () => {
  it('takes along what belongs to the index and to its images, and tells it in JSON', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index, referrer, signature, onSignature } = await pushSigned(from.registry);
    const words = ['copy', '--json', '--referrers', '--digest-tags', ...names(from, to)];
    const { exitCode, stdout, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    const result = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(result['referrers'], [referrer.descriptor.digest]);
    assert.deepEqual(result['digestTags'], [signature.tag, onSignature.tag]);
    await assertAttached(to.registry, index, referrer, [signature, onSignature]);
    const before = to.proxy.requests.length;
    const again = JSON.parse((await ocictl(t, words)).stdout) as Record<string, unknown>;
    assert.deepEqual([again['changed'], again['transferredBytes']], [false, 0]);
    assert.deepEqual(writes(to.proxy, before), []);
  });

  it('brings what was signed since to an image that is there already', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const image = await imageFor('amd64');
    await pushImage(from.registry, app, one, image);
    assert.equal((await ocictl(t, ['copy', ...names(from, to)])).exitCode, 0);
    const tag = sigTag(image);
    await pushImage(from.registry, app, tag, await buildArtifact({ artifactType: 'a/signature' }));
    const { exitCode, stderr } = await ocictl(t, ['copy', '--digest-tags', ...names(from, to)]);
    assert.equal(exitCode, 0, stderr);
    assert.ok(await to.registry.statManifest(app, tag));
  });

  it('asks for neither unless told to', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    await pushSigned(from.registry);
    const { stderr } = await ocictl(t, ['copy', ...names(from, to)]);
    assert.doesNotMatch(stderr, /behind/);
    const asked = from.proxy.requests.filter(({ path }) => /referrers|sha256-/.test(path));
    assert.deepEqual(asked, []);
  });

  it('refuses with --if-absent to move a signature tag, before anything moves', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { signature } = await pushSigned(from.registry);
    await pushImage(to.registry, app, signature.tag, await buildArtifact({ artifactType: 'a/other' }));
    const { exitCode, stderr } = await ocictl(t, ['copy', '--digest-tags', '--if-absent', ...names(from, to)]);
    assert.equal(exitCode, 9);
    assert.match(stderr, /\.sig exists already at the destination, as sha256:/);
    assert.deepEqual(writes(to.proxy), []);
  });

  it('goes through a layout and back, and says what stays in it', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index, referrer, signature, onSignature } = await pushSigned(from.registry);
    const [source, destination] = names(from, to);
    const all = ['--referrers', '--digest-tags'];
    assert.equal((await ocictl(t, ['copy', ...all, source, 'oci:dir:1'])).exitCode, 0);
    const plain = await ocictl(t, ['copy', 'oci:dir:1', destination]);
    assert.match(plain.stderr, /^1 referrer and 1 signature tag of oci:dir:1 stay behind: --referrers --digest-tags$/m);
    const both = await ocictl(t, ['copy', ...all, 'oci:dir:1', destination]);
    assert.equal(both.exitCode, 0, both.stderr);
    assert.doesNotMatch(both.stderr, /behind/);
    await assertAttached(to.registry, index, referrer, [signature, onSignature]);
  });

  it('goes through an archive of save and the local store, which have it with the image', async (t) => {
    const [from, archived, stored] = [await startPlace(t), await startPlace(t), await startPlace(t)];
    const { index, referrer, signature, onSignature } = await pushSigned(from.registry);
    const source = `${from.host}/team/app:1`;
    const flags = ['--referrers', '--digest-tags'];
    const words = ['save', '--json', '--platform', 'all', ...flags, '-o', 'a.tar', source];
    const saved = await ocictl(t, words);
    assert.equal(saved.exitCode, 0, saved.stderr);
    const result = JSON.parse(saved.stdout) as Record<string, unknown>;
    assert.deepEqual(result['referrers'], [referrer.descriptor.digest]);
    assert.deepEqual(result['digestTags'], [signature.tag, onSignature.tag]);
    assert.equal((await ocictl(t, ['load', '-i', 'a.tar'])).stdout, `Loaded image: ${source}\n`);
    for (const [word, to] of [
      ['oci-archive:a.tar', archived],
      [`store:${source}`, stored],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, ['copy', ...flags, word, `${to.host}/team/app:2`]);
      assert.equal(exitCode, 0, stderr);
      await assertAttached(to.registry, index, referrer, [signature, onSignature]);
    }
    const classic = await ocictl(t, ['save', '--image-format', 'docker', '--referrers', '-o', 'b.tar', source]);
    assert.equal(classic.exitCode, 2);
    assert.match(classic.stderr, /conflicting options: --referrers and --image-format docker/);
  });

  it('believes a list under a fallback tag only where its entries name the subject', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    for (const { proxy } of [from, to]) proxy.fail({ path: /\/referrers\//, status: 404 });
    const image = await imageFor('amd64');
    await pushImage(from.registry, app, one, image);
    const stranger = await imageFor('arm64');
    await pushImage(from.registry, app, fallbackTag(image.descriptor.digest), await buildIndex([stranger]));
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--json', '--referrers', ...names(from, to)]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((JSON.parse(stdout) as Record<string, unknown>)['referrers'], []);
    await assert.rejects(to.registry.statManifest(app, stranger.descriptor.digest));
  });

  it('fails where the list of referrers cannot be read: a throttled list is not an empty one', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    await pushSigned(from.registry);
    from.proxy.fail({ path: /\/referrers\//, status: 403 });
    const { exitCode } = await ocictl(t, ['copy', '--referrers', ...names(from, to)]);
    assert.equal(exitCode, 4);
    await assert.rejects(to.registry.statManifest(app, one));
  });
});

function names(from: Place, to: Place): [string, string] {
  return [`${from.host}/team/app:1`, `${to.host}/team/app:2`];
}

function sigTag({ descriptor }: Built) {
  const [tag] = digestTagsOf(descriptor.digest);
  assert.ok(tag);
  return tag;
}

interface Signature {
  readonly tag: ReturnType<typeof sigTag>;
  readonly built: Built;
}

/** An index with a referrer of one image, a signature tag of another, and a signature of that signature. */
async function pushSigned(registry: Registry) {
  const { index, amd64, arm64 } = await buildDemoIndex();
  await pushImage(registry, app, one, index);
  const referrer = await buildArtifact({ artifactType: 'a/parts', subject: amd64.descriptor });
  await pushImage(registry, app, undefined, referrer);
  const signed = async (subject: Built, artifactType: string): Promise<Signature> => {
    const signature = { tag: sigTag(subject), built: await buildArtifact({ artifactType }) };
    await pushImage(registry, app, signature.tag, signature.built);
    return signature;
  };
  const signature = await signed(arm64, 'a/signature');
  return { index, referrer, signature, onSignature: await signed(signature.built, 'a/countersignature') };
}

async function assertAttached(
  registry: Registry,
  index: Built,
  referrer: Built,
  signatures: readonly Signature[],
): Promise<void> {
  assert.equal((await registry.statManifest(app, two)).digest, index.descriptor.digest);
  const subject = index.children[0]?.descriptor.digest;
  assert.ok(subject);
  const listed = await all(registry.referrers(app, subject));
  assert.deepEqual(
    listed.map(({ digest }) => digest),
    [referrer.descriptor.digest],
  );
  for (const { tag, built } of signatures) {
    assert.equal((await registry.statManifest(app, tag)).digest, built.descriptor.digest);
  }
}
