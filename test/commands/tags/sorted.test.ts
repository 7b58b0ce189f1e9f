import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseTag, type Tag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { app, startPlace } from '../copy/places.ts';

const builtAt = (created: string, platform = 'amd64'): Promise<Built> =>
  buildImage({
    platform: { os: 'linux', architecture: platform },
    layers: [{ files: { created } }],
    created: new Date(created),
  });
const [old, young, reproducible] = [
  await builtAt('2024-01-01T00:00:00Z'),
  await builtAt('2026-01-01T00:00:00Z'),
  await builtAt('1970-01-01T00:00:00Z'),
];
const middle = await buildIndex([
  await builtAt('2025-01-01T00:00:00Z', 'arm64'),
  await builtAt('2030-01-01T00:00:00Z'),
]);
const artifact = await buildArtifact({
  artifactType: 'text/spec',
  annotations: { 'org.opencontainers.image.created': '2025-06-01T00:00:00Z' },
});

async function startTagged(t: TestContext, tags: Readonly<Record<string, Built>>) {
  const place = await startPlace(t);
  for (const [tag, built] of Object.entries(tags)) await pushImage(place.registry, app, parseTag(tag), built);
  return { ...place, name: `${place.host}/team/app` };
}

const dated = { a: young, b: middle, c: old, d: reproducible, e: artifact, f: young };

describe('ocictl tags --sort', () => {
  it('sorts by version, the highest last, or first with --reverse', async (t) => {
    const { name } = await startTagged(t, {
      '1.10': old,
      '1.9': old,
      latest: old,
      '1.10-alpine': old,
      '1.10-rc1': old,
    });
    const sorted = ['latest', '1.9', '1.10-rc1', '1.10', '1.10-alpine'];
    const { stdout, stderr } = await ocictl(t, ['tags', '--sort', 'semver', name]);
    assert.deepEqual(stdout.trimEnd().split('\n'), sorted, stderr);
    const reversed = await ocictl(t, ['tags', '--sort', 'semver', '--reverse', '--limit', '2', name]);
    assert.equal(reversed.stdout, '1.10-alpine\n1.10\n');
    const byName = await ocictl(t, ['tags', '--sort', 'name', '--after', '1.10', name]);
    assert.equal(byName.stdout, '1.10-alpine\n1.10-rc1\n1.9\nlatest\n');
  });

  it("sorts by creation time: of the image, of an index's first image, or by an artifact's annotation; tags without one come first", async (t) => {
    const { name } = await startTagged(t, dated);
    const { stdout, stderr } = await ocictl(t, ['tags', '--sort', 'created', name]);
    assert.equal(stdout, 'd\nc\nb\ne\na\nf\n', stderr);
    const json = await ocictl(t, ['tags', '--sort', 'created', '--json', '--filter', '[abd]', name]);
    const created = { a: '2026-01-01T00:00:00.000Z', b: '2025-01-01T00:00:00.000Z', d: null };
    assert.deepEqual(JSON.parse(json.stdout), { repository: name, tags: ['d', 'b', 'a'], created });
  });

  it('reads each manifest and each config once, and those that match alone', async (t) => {
    const { name, proxy } = await startTagged(t, dated);
    await ocictl(t, ['tags', '--sort', 'created', '--filter', '[abf]', name]);
    // a, b and f, and the image of b; the configs of a and f are one.
    assert.equal(proxy.count(/\/manifests\//), 4);
    assert.equal(proxy.count(/\/blobs\//), 2);
    assert.equal(proxy.count(), 1 + 4 + 2);
  });

  it('lists a tag all the same whose image cannot be read', async (t) => {
    const { name, proxy } = await startTagged(t, { a: young, b: old });
    proxy.fail({ path: /\/manifests\/a$/, status: 404 });
    assert.equal((await ocictl(t, ['tags', '--sort', 'created', name])).stdout, 'a\nb\n');
    proxy.heal();
    proxy.fail({ path: /\/manifests\/a$/, status: 401 });
    const refused = await ocictl(t, ['tags', '--sort', 'created', name]);
    assert.deepEqual([refused.exitCode, refused.stdout], [4, '']);
  });
});

describe('ocictl tags --filter', () => {
  it('prints tags that match one of the patterns, and --limit counts these', async (t) => {
    const tags = ['1.1', '1.2', '1.2-alpine', '2.0', 'latest'].map(parseTag);
    const { name, registry, proxy } = await startTagged(t, { x: old });
    await registry.pushManifest(app, old.manifest, { tags: tags as readonly Tag[] });
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['--filter', '1.*'], '1.1\n1.2\n1.2-alpine\n'],
      [['--filter', '1.*', '--limit', '2'], '1.1\n1.2\n'],
      [['--filter', '*-alpine,[x-z]'], '1.2-alpine\nx\n'],
      [['--filter', '[12].?', '--reverse'], '2.0\n1.2\n1.1\n'],
      [['--filter', 'none*'], ''],
    ];
    for (const [words, wanted] of cases) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['tags', ...words, name]);
      assert.deepEqual([exitCode, stdout], [0, wanted], stderr);
    }
    assert.equal(proxy.count(), cases.length);
  });

  it('refuses an invalid pattern or order, and --after in another order', async (t) => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--filter', '[a'], /--filter takes a pattern, not "\[a"/],
      [['--sort', 'age'], /cannot be sorted by "age"\n.*name, semver, created/],
      [['--sort', 'semver', '--after', '1'], /--after goes by name/],
      [['--reverse', '--after', '1'], /--after goes by name/],
    ];
    for (const [words, message] of cases) {
      const { exitCode, stderr } = await ocictl(t, ['tags', ...words, 'localhost:1/app']);
      assert.equal(exitCode, 2);
      assert.match(stderr, message);
    }
  });
});
