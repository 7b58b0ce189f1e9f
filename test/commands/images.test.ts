import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { keepImage } from '../support/local-store.ts';
import { buildDemoIndex, imageFor } from './copy/places.ts';

async function fillStore(t: TestContext): Promise<{ readonly config: string; readonly manifest: string }> {
  const image = await imageFor('amd64');
  await keepImage(t, 'alpine:3', image);
  await keepImage(t, 'alpine:latest', image);
  await keepImage(t, 'registry.example.com/team/app:1', (await buildDemoIndex()).index);
  return { config: image.blobs[0]?.descriptor.digest ?? '', manifest: image.descriptor.digest };
}

async function listed(t: TestContext, ...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, ['images', ...words]);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

describe('ocictl images --format', () => {
  it('prints by a template over the fields of docker images', async (t) => {
    const { config, manifest } = await fillStore(t);
    const names = await listed(t, '--format', '{{.Repository}}:{{.Tag}}');
    assert.equal(names, 'alpine:3\nalpine:latest\nregistry.example.com/team/app:1\n');
    const words = [
      '--no-trunc',
      '--format',
      '{{.ID}} {{.Digest}} {{.CreatedAt}} {{.CreatedSince}} {{.Size}}',
      'alpine:3',
    ];
    const when = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d \\+0000 UTC \\d+ \\w+ ago \\d+(?:\\.\\d+)?k?B';
    assert.match(await listed(t, ...words), new RegExp(`^${config} ${manifest} ${when}\n$`));
  });

  it('makes a table below headings, and JSON with the same fields', async (t) => {
    await fillStore(t);
    const table = await listed(t, '--format', 'table {{.Tag}}\t{{.Repository}}', 'alpine');
    assert.equal(table, 'TAG      REPOSITORY\n3        alpine\nlatest   alpine\n');
    const [line = ''] = (await listed(t, '--format', 'json', 'alpine:3')).split('\n');
    const fields = JSON.parse(line) as Record<string, string>;
    assert.deepEqual(Object.keys(fields), ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'CreatedAt', 'Size']);
    assert.equal(fields['Repository'], 'alpine');
  });

  it('refuses a field that is not there', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['images', '--format', '{{.Name}}']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /no field \.Name\nhint: .*\.Repository/);
  });
});

describe('ocictl images --filter', () => {
  const names = ['--format', '{{.Repository}}:{{.Tag}}'];

  for (const [filter, expected] of [
    ['reference=alpine', 'alpine:3\nalpine:latest\n'],
    ['reference=alpine:l*', 'alpine:latest\n'],
    ['reference=*', 'alpine:3\nalpine:latest\n'],
    ['reference=registry.example.com/*/a?p', 'registry.example.com/team/app:1\n'],
    ['reference=.lpine', ''],
    ['dangling=true', ''],
    ['dangling=false', 'alpine:3\nalpine:latest\nregistry.example.com/team/app:1\n'],
  ] as const) {
    it(`shows by ${filter}`, async (t) => {
      await fillStore(t);
      assert.equal(await listed(t, ...names, '--filter', filter), expected);
    });
  }

  it('shows an image without a tag as dangling', async (t) => {
    await keepImage(t, 'alpine:3', await imageFor('amd64'));
    await keepImage(t, 'alpine:3', await imageFor('arm64'));
    assert.equal(await listed(t, ...names, '-f', 'dangling=true'), 'alpine:<none>\n');
    assert.equal(await listed(t, ...names, '-f', 'dangling=true', '-f', 'reference=busybox'), '');
  });

  for (const filter of ['stars=3', 'reference', 'dangling=maybe']) {
    it(`refuses ${filter}`, async (t) => {
      const { exitCode, stderr } = await ocictl(t, ['images', '--filter', filter]);
      assert.equal(exitCode, 2);
      assert.match(stderr, /filter.*\nhint: the filters are reference=PATTERN/);
    });
  }

  it('shows an image that is named by digest', async (t) => {
    const { manifest } = await fillStore(t);
    assert.equal((await listed(t, '-q', `alpine@${manifest}`)).trim().split('\n').length, 2);
    assert.equal(await listed(t, '-q', `alpine@sha256:${'0'.repeat(64)}`), '');
  });
});

describe('an image ID', () => {
  it('names an image of the store for inspect, digest, copy, tag and rmi alike', async (t) => {
    const { config, manifest } = await fillStore(t);
    for (const id of [config.slice(7, 19), config, config.slice(7), manifest.slice(0, 20)]) {
      assert.equal((await ocictl(t, ['digest', `store:${id}`])).stdout, `${manifest}\n`, id);
      const inspected = await ocictl(t, ['inspect', '--format', '{{.Digest}} {{.Name}}', `store:${id}`]);
      assert.equal(inspected.stdout, `${manifest} store:docker.io/library/alpine\n`, inspected.stderr);
    }
    const id = config.slice(7, 19);
    const copied = await ocictl(t, ['copy', `store:${id}`, 'oci:out:1']);
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal((await ocictl(t, ['digest', 'oci:out:1'])).stdout, `${manifest}\n`);
    assert.equal((await ocictl(t, ['tag', id, 'other'])).exitCode, 0);
    assert.equal((await ocictl(t, ['rmi', '-f', id])).exitCode, 0);
    const gone = await ocictl(t, ['digest', `store:${id}`]);
    assert.equal(gone.exitCode, 3);
    assert.match(gone.stderr, /No such image/);
  });

  it('is not preferred to a name', async (t) => {
    const { config, manifest } = await fillStore(t);
    const id = config.slice(7, 19);
    const other = await imageFor('ppc64le');
    await keepImage(t, `${id}:latest`, other);
    assert.equal((await ocictl(t, ['digest', `store:${id}`])).stdout, `${other.descriptor.digest}\n`);
    assert.equal((await ocictl(t, ['digest', `store:${config}`])).stdout, `${manifest}\n`);
  });

  it('has a hint if a registry was asked for it', async (t) => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:1' };
    const { stderr } = await ocictl(t, ['digest', '6ff3aabd5f26'], { env });
    assert.match(stderr, /hint: .*an image ID of the local store is written store:6ff3aabd5f26/);
  });
});
