import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDigest } from '../../../src/model/digest.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { repo, setUp } from './pushing.ts';

const hello = 'sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
const empty = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';

const titles = ({ layers }: { readonly layers: readonly { readonly annotations?: Record<string, string> }[] }) =>
  layers.map(({ annotations }) => annotations?.['org.opencontainers.image.title']);

describe('ocictl artifact push', () => {
  it('writes the manifest that oras writes, without a time', async (t) => {
    const { pushed } = await setUp(t);
    const { document } = await pushed(['hello.txt']);
    assert.deepEqual(document, {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.unknown.artifact.v1',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2, data: 'e30=' },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: hello,
          size: 6,
          annotations: { 'org.opencontainers.image.title': 'hello.txt' },
        },
      ],
    });
  });

  it('tells in JSON what was pushed', async (t) => {
    const { push, name } = await setUp(t);
    const words = [`${name}:1`, 'hello.txt', '--artifact-type', 'a/b', '-a', 'k=v', '--tag', '1.0', '--json'];
    const { stdout } = await push(words);
    const { reference, digest, size, ...rest } = JSON.parse(stdout);
    assert.equal(reference, `${name}@${digest}`);
    assert.ok(size > 100);
    assert.deepEqual(rest, {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'a/b',
      annotations: { k: 'v' },
      tags: ['1', '1.0'],
    });
  });

  it('pushes by digest alone where REF has no tag', async (t) => {
    const { push, name, registry } = await setUp(t);
    const { stdout } = await push([name, 'hello.txt']);
    assert.ok(await registry.statManifest(repo, parseDigest(stdout.trim().split('@')[1] ?? '')));
    const tags: string[] = [];
    for await (const tag of registry.tags(repo)) tags.push(tag);
    assert.deepEqual(tags, []);
  });

  it('reads FILE:TYPE, also where names have colons', async (t) => {
    const { home, pushed } = await setUp(t);
    for (const name of ['a:b', 'a b é.txt']) await writeFile(join(home, name), name);
    const { document } = await pushed(['hello.txt:text/plain', 'a:b:x/y']);
    assert.deepEqual(titles(document), ['hello.txt', 'a:b']);
    assert.deepEqual(
      document.layers.map(({ mediaType }: { mediaType: string }) => mediaType),
      ['text/plain', 'x/y'],
    );
    await mkdir(join(home, 'a:b:c'));
    await writeFile(join(home, 'a:b:c', 'd'), 'whole');
    assert.deepEqual(titles((await pushed(['a:b:c/d', 'a b é.txt:'])).document), ['a:b:c/d', 'a b é.txt']);
  });

  it('is the same artifact for the same files, however they came there', async (t) => {
    const { home, pushed, proxy } = await setUp(t);
    const fill = async (where: string, names: readonly string[], atMs: number): Promise<void> => {
      await mkdir(join(home, where, 'd', 'sub'), { recursive: true });
      for (const name of names) {
        await writeFile(join(home, where, 'd', name), name);
        await utimes(join(home, where, 'd', name), atMs, atMs);
      }
      await symlink('b', join(home, where, 'd', 'link'));
    };
    const names = ['a-b', 'a', 'b', 'sub/é', `sub/${'long'.repeat(60)}`];
    await fill('one', names, 1);
    await fill('two', names.toReversed(), 1000);
    const one = await pushed(['d'], { cwd: join(home, 'one') });
    const before = proxy.count(/uploads/, 'PUT');
    const two = await pushed(['./d/'], { cwd: join(home, 'two') });
    assert.equal(two.digest, one.digest);
    assert.equal(proxy.count(/uploads/, 'PUT'), before);
    const kept = await pushed(['--keep-times', 'd'], { cwd: join(home, 'two') });
    assert.notEqual(kept.digest, one.digest);
  });

  it('packs a directory in the order of bytes, of nobody, with its digest before compression', async (t) => {
    const { home, pushed, blob } = await setUp(t);
    await mkdir(join(home, 'x', 'd', 'a'), { recursive: true });
    for (const name of ['a/z', 'a-b', 'B']) await writeFile(join(home, 'x', 'd', name), name, { mode: 0o755 });
    await symlink('../a-b', join(home, 'x', 'd', 'a', 'up'));
    const { document } = await pushed(['x/d']);
    const [layer] = document.layers;
    assert.equal(layer.mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip');
    const unzipped = spawnSync('gzip', ['-dc'], { input: await blob(layer.digest) }).stdout;
    const sum = spawnSync('sha256sum', { input: unzipped }).stdout.toString().split(' ')[0];
    assert.deepEqual(layer.annotations, {
      'io.deis.oras.content.digest': `sha256:${sum}`,
      'io.deis.oras.content.unpack': 'true',
      'org.opencontainers.image.title': 'x/d',
    });
    const listed = spawnSync('tar', ['tvf', '-', '--numeric-owner'], { input: unzipped }).stdout.toString();
    assert.deepEqual(
      listed
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
      [
        'drwxr-xr-x 0/0 0 1970-01-01 00:00 x/d/',
        '-rwxr-xr-x 0/0 1 1970-01-01 00:00 x/d/B',
        'drwxr-xr-x 0/0 0 1970-01-01 00:00 x/d/a/',
        'lrwxrwxrwx 0/0 0 1970-01-01 00:00 x/d/a/up -> ../a-b',
        '-rwxr-xr-x 0/0 3 1970-01-01 00:00 x/d/a/z',
        '-rwxr-xr-x 0/0 3 1970-01-01 00:00 x/d/a-b',
      ],
    );
  });

  it('pushes nothing, and an empty file', async (t) => {
    const { home, pushed } = await setUp(t);
    const { document } = await pushed(['--artifact-type', 'a/b']);
    assert.deepEqual(document.layers, [document.config]);
    await writeFile(join(home, 'none'), '');
    const [layer] = (await pushed(['none'])).document.layers;
    assert.equal(layer.size, 0);
  });

  it('pushes standard input, with a title if one is given', async (t) => {
    const { pushed } = await setUp(t);
    const input = Buffer.alloc(3_000_000, 'x');
    const plain = await pushed(['-:text/plain'], { input });
    assert.deepEqual(plain.document.layers[0].annotations, undefined);
    assert.equal(plain.document.layers[0].mediaType, 'text/plain');
    assert.equal(plain.document.layers[0].size, input.length);
    const titled = await pushed(['-', 'hello.txt', '--title', 'dir/in.bin'], { input: 'hello\n' });
    assert.deepEqual(titles(titled.document), ['dir/in.bin', 'hello.txt']);
    assert.equal(titled.document.layers[0].digest, hello);
  });

  it('takes a config, and writes as image spec v1.0 where that is asked for', async (t) => {
    const { home, pushed } = await setUp(t);
    await writeFile(join(home, 'config.json'), '{"a":1}');
    const own = (await pushed(['--config', 'config.json:application/x.config', 'hello.txt'])).document;
    assert.equal(own.artifactType, undefined);
    assert.equal(own.config.mediaType, 'application/x.config');
    assert.equal(own.config.size, 7);
    const both = (await pushed(['--config', 'config.json', '--artifact-type', 'a/b'])).document;
    assert.deepEqual([both.artifactType, both.config.mediaType], ['a/b', 'application/vnd.unknown.config.v1+json']);
    const old = (await pushed(['--image-spec', 'v1.0', '--artifact-type', 'a/b', 'hello.txt'])).document;
    assert.equal(old.artifactType, undefined);
    assert.deepEqual(old.config, { mediaType: 'a/b', digest: empty, size: 2 });
  });

  it('takes annotations from options and from a file, of manifest, config and files', async (t) => {
    const { home, pushed } = await setUp(t);
    const file = { $manifest: { a: '1', b: '2' }, $config: { c: '3' }, 'hello.txt': { d: '4' }, other: {} };
    await writeFile(join(home, 'annotations.json'), JSON.stringify(file));
    const words = ['--annotation-file', 'annotations.json', '-a', 'b=x=y', '--created', '0', './hello.txt'];
    const { document, stderr } = await pushed(words);
    assert.deepEqual(document.annotations, {
      a: '1',
      b: 'x=y',
      'org.opencontainers.image.created': '1970-01-01T00:00:00Z',
    });
    assert.deepEqual(document.config.annotations, { c: '3' });
    assert.deepEqual(document.layers[0].annotations, { d: '4', 'org.opencontainers.image.title': 'hello.txt' });
    assert.match(stderr, /annotations\.json has annotations for "other", which is not pushed/);
  });

  it('keeps artifacts for several platforms in one index, each once', async (t) => {
    const { name, push, registry, blob } = await setUp(t);
    const run = async (platform: string, word: string) => {
      const { exitCode, stdout, stderr } = await push(
        [...[`${name}:1`, '--index', '--set-platform', platform, '--artifact-type', 'a/b', '--json', `-:${word}`]],
        { input: word },
      );
      assert.equal(exitCode, 0, stderr);
      return JSON.parse(stdout);
    };
    await run('linux/amd64', 'x/one');
    const arm = await run('linux/arm/v7', 'x/two');
    const amd = await run('linux/amd64', 'x/three');
    const { view, descriptor } = await registry.getManifest(repo, parseTag('1'));
    assert.equal(amd.index.digest, descriptor.digest);
    assert.ok(view.kind === 'index');
    assert.deepEqual(
      view.manifests.map(({ digest, platform, artifactType }) => ({ digest, platform, artifactType })),
      [
        { digest: arm.digest, platform: { os: 'linux', architecture: 'arm', variant: 'v7' }, artifactType: 'a/b' },
        { digest: amd.digest, platform: { os: 'linux', architecture: 'amd64' }, artifactType: 'a/b' },
      ],
    );
    const child = JSON.parse(Buffer.from((await registry.getManifest(repo, arm.digest)).bytes).toString());
    assert.deepEqual(JSON.parse((await blob(child.config.digest)).toString()), {
      architecture: 'arm',
      os: 'linux',
      variant: 'v7',
    });
    const image = await push([`${name}:plain`, 'hello.txt']);
    assert.equal(image.exitCode, 0);
    const refused = await push([`${name}:plain`, '--index', 'hello.txt']);
    assert.equal(refused.exitCode, 9);
    assert.match(refused.stderr, /is no OCI index/);
    assert.equal((await push([name, '--index', 'hello.txt'])).exitCode, 2);
  });

  it('writes to a layout and to the local store', async (t) => {
    const { push, home } = await setUp(t);
    for (const word of ['oci:layout:1', 'store:team/app:1']) {
      const { exitCode, stdout, stderr } = await push([word, 'hello.txt']);
      assert.equal(exitCode, 0, stderr);
      const head = await ocictl(t, ['manifest', 'head', word]);
      assert.ok(head.stdout.includes(stdout.trim().split('@')[1] ?? '?'), head.stdout);
    }
    assert.equal((await push(['oci-archive:x.tar:1', 'hello.txt'])).exitCode, 1);
    assert.ok(home);
  });

  it('asks a registry four times for a file that is there, and most of that at once', async (t) => {
    const { pushed, proxy } = await setUp(t);
    await pushed(['hello.txt']);
    const before = proxy.requests.length;
    await pushed(['hello.txt']);
    const sent = proxy.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(sent, ['HEAD /v2/team/app/manifests/1']);
  });
});
