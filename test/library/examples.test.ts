import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { artifactOf, titled } from '../artifacts/pull/artifacts.ts';
import { buildArtifact, buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { type Running, start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { sandbox } from '../support/sandbox.ts';
import { writeKeys } from '../support/trust/key-files.ts';

/** Runs a compiled example, which imports `ocictl` through the package's exports, as any program does. */
async function example(t: TestContext, name: string, words: readonly string[]): Promise<Running> {
  const { env, home } = await sandbox(t);
  return start(t, process.execPath, [join(projectRoot, '.build', 'examples', `${name}.js`), ...words], {
    env,
    cwd: home,
  });
}

const repo = parseRepositoryName('team/app');

describe('the examples', () => {
  it('are short', async () => {
    for (const name of [
      'copy',
      'list-and-copy',
      'look-inside',
      'mutate',
      'own-registry',
      'pull-artifact',
      'push-artifact',
      'referrers',
      'sign-and-verify',
    ]) {
      const text = await readFile(join(projectRoot, 'examples', `${name}.ts`), 'utf8');
      assert.ok(text.split('\n').length <= 60, name);
    }
  });

  it('change an image', async (t) => {
    const source = memoryRegistry();
    const image = await buildImage({ layers: [] });
    await pushImage(source, repo, parseTag('1'), image);
    const { host } = await startServe(t, { registry: source });
    await mkdir(join((await sandbox(t)).home, 'site'));
    const words = [`${host}/team/app:1`, `${host}/team/app:2`, 'site'];
    const { exitCode, stdout, stderr } = await (await example(t, 'mutate', words)).result;
    assert.equal(exitCode, 0, stderr);
    const { digest } = await source.statManifest(repo, parseTag('2'));
    assert.equal(stdout, `${host}/team/app@${digest}\n${image.descriptor.digest} became ${digest}\n`);
    const { view } = await source.getManifest(repo, digest);
    assert.equal(view.kind === 'image' && view.layers.length, 1);
  });

  it('list the tags of a repository and copy an image into a registry of their own', async (t) => {
    const source = memoryRegistry();
    const image = await buildImage({ layers: [] });
    for (const tag of ['1', '2']) await pushImage(source, repo, parseTag(tag), image);
    const { host } = await startServe(t, { registry: source });
    const own = await example(t, 'own-registry', ['0']);
    const [, url = ''] = await own.waitFor(/listening on (\S+)/);

    const target = `${new URL(url).host}/kept/app`;
    const copied = await (await example(t, 'list-and-copy', [`${host}/team/app:2`, `${target}:2`])).result;
    assert.equal(copied.exitCode, 0, copied.stderr);
    const { digest } = image.descriptor;
    assert.match(copied.stdout, new RegExp(`^1\n2\ncopied ${digest}, \\d+ bytes\n$`));
    await own.waitFor(new RegExp(`kept/app:2 is ${digest}`));
    const there = await openRemote(t, url).statManifest(parseRepositoryName('kept/app'), parseTag('2'));
    assert.equal(there.digest, digest);

    const byName = await (await example(t, 'copy', [`${host}/team/app:1`, `${target}:1`])).result;
    assert.equal(byName.stdout, `${target}:1 took 0 bytes\n${digest}\n`, byName.stderr);

    const refused = await (await example(t, 'list-and-copy', [`${host}/team/app:2`, `${target}:latest`])).result;
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /^DENIED: .*says nothing about what it is/m);

    own.child.kill('SIGTERM');
    assert.equal((await own.result).exitCode, 0);
  });

  it('list what hangs on an image', async (t) => {
    const source = memoryRegistry();
    const image = await buildImage({ layers: [] });
    await pushImage(source, repo, parseTag('1'), image);
    const sbom = await buildArtifact({ artifactType: 'a/sbom', subject: image.descriptor });
    const signature = await buildArtifact({ artifactType: 'a/signature', subject: sbom.descriptor });
    for (const artifact of [sbom, signature]) await pushImage(source, repo, undefined, artifact);
    const { host } = await startServe(t, { registry: source });
    const listed = await (await example(t, 'referrers', [`${host}/team/app:1`])).result;
    const lines = `a/sbom ${sbom.descriptor.digest}\n  a/signature ${signature.descriptor.digest}\n`;
    assert.equal(listed.stdout, lines, listed.stderr);
  });

  it('look inside an image', async (t) => {
    const source = memoryRegistry();
    const image = await buildImage({
      layers: [{ files: { 'etc/name': 'one', large: 'x'.repeat(50) } }, { files: { 'etc/name': 'two' } }],
    });
    await pushImage(source, repo, parseTag('1'), image);
    const { host } = await startServe(t, { registry: source });
    const listed = await (await example(t, 'look-inside', [`${host}/team/app:1`])).result;
    assert.equal(listed.stdout.split('\n')[0], '50 /large', listed.stderr);
    const printed = await (await example(t, 'look-inside', [`${host}/team/app:1`, 'etc/name'])).result;
    assert.equal(printed.stdout, 'two', printed.stderr);
    const absent = await (await example(t, 'look-inside', [`${host}/team/app:1`, 'etc/nam'])).result;
    assert.match(absent.stderr, /^FILE_UNKNOWN: .*\nthere is "\/etc\/name"$/m);
  });

  it('pull the files of an artifact', async (t) => {
    const source = memoryRegistry();
    await pushImage(
      source,
      repo,
      parseTag('files'),
      await artifactOf(await titled('a/b.txt', 'b'), await titled(undefined, 'c')),
    );
    const { host } = await startServe(t, { registry: source });
    const { home } = await sandbox(t);
    const pulled = await (await example(t, 'pull-artifact', [`${host}/team/app:files`, 'out'])).result;
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const path = join(home, 'out', 'a', 'b.txt');
    assert.match(pulled.stdout, /^application\/vnd\.example\.files\n\S+ sha256:\w+\n1 layers have no title\n$/);
    assert.ok(pulled.stdout.includes(`${path} `));
    assert.equal(await readFile(path, 'utf8'), 'b');

    await pushImage(source, repo, parseTag('evil'), await artifactOf(await titled('../b.txt', 'b')));
    const refused = await (await example(t, 'pull-artifact', [`${host}/team/app:evil`, 'evil'])).result;
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /^MANIFEST_INVALID: the title "\.\.\/b\.txt" of a file is refused/);
  });

  it('push files as an artifact, and attach a note to it', async (t) => {
    const registry = memoryRegistry();
    const { host } = await startServe(t, { registry });
    const { home } = await sandbox(t);
    await writeFile(join(home, 'hello.txt'), 'hello');
    const pushed = await (await example(t, 'push-artifact', [`${host}/team/app:1`, 'hello.txt'])).result;
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    const { digest } = await registry.statManifest(repo, parseTag('1'));
    assert.match(pushed.stdout, new RegExp(`^pushed ${host}/team/app@${digest}\nattached sha256:\\S+ to ${digest}\n$`));
    for await (const { annotations } of registry.referrers(repo, digest)) {
      assert.deepEqual(annotations, { 'com.example.by': 'ada' });
    }
    const none = await (await example(t, 'push-artifact', [`${host}/team/app:2`, 'none.txt'])).result;
    assert.equal(none.exitCode, 1);
    assert.match(none.stderr, /^USAGE: there is no file none\.txt/m);
  });

  it('sign an image and attest something of it, and verify both', async (t) => {
    const registry = memoryRegistry();
    await pushImage(registry, repo, parseTag('1'), await buildImage({ layers: [] }));
    const { host } = await startServe(t, { registry });
    await writeKeys(t, 'own');
    await writeKeys(t, 'other');
    const name = `${host}/team/app:1`;
    const { exitCode, stdout, stderr } = await (await example(t, 'sign-and-verify', [name, 'own.key', 'own.pub']))
      .result;
    assert.equal(exitCode, 0, stderr);
    const lines = stdout.split('\n');
    assert.match(lines[0] ?? '', new RegExp(`^${host}/team/app@sha256:\\w+ is signed by own\\.pub \\(bundle\\)$`));
    assert.match(lines[1] ?? '', /\(tag\)$/);
    assert.match(lines[2] ?? '', /^\{"buildDefinition":/);
    const wrong = await (await example(t, 'sign-and-verify', [name, 'own.key', 'other.pub'])).result;
    assert.deepEqual([wrong.exitCode, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /^UNTRUSTED: .* has no signature that counts, of 3$/m);
  });
});
