/** What ocictl pushes and attaches is read by oras and regctl, file by file and byte for byte. */
import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { type RunResult, start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

/** Registries by name: the first two list referrers under fallback tags, the last one has the API. */
const registries: Readonly<Record<string, (t: TestContext) => Promise<string | undefined>>> = {
  'docker-registry 2.8': async (t) => (needs(t, 'docker-registry') ? (await startDockerRegistry(t)).host : undefined),
  'distribution 3': async (t) =>
    needs(t, 'registry') ? (await startDockerRegistry(t, { distribution: 3 })).host : undefined,
  'ocictl serve': async (t) => (await spawnServe(t, ['--memory'])).host,
};

/** Runs a program in the sandbox, and expects it to succeed. */
async function run(t: TestContext, program: string, words: readonly string[], cwd?: string): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  const result = await start(t, program, words, { env, cwd: cwd ?? home }).result;
  assert.equal(result.exitCode, 0, `${program} ${words.join(' ')}: ${result.stderr}`);
  return result;
}

async function succeed(t: TestContext, words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
}

const content: Readonly<Record<string, Buffer>> = {
  'plain.txt': Buffer.from('hello\n'),
  'with space é.json': Buffer.from('{}'),
  none: Buffer.alloc(0),
  'below/large.bin': Buffer.alloc(3_000_000, 'abc'),
};

/** Files and a directory in the sandbox. */
async function writeFiles(t: TestContext): Promise<string> {
  const { home } = await sandbox(t);
  for (const [name, bytes] of Object.entries(content)) {
    await mkdir(join(home, name, '..'), { recursive: true });
    await writeFile(join(home, name), bytes);
  }
  await mkdir(join(home, 'dir', 'sub', 'empty'), { recursive: true });
  await writeFile(join(home, 'dir', 'sub', `${'long'.repeat(60)}.txt`), 'long');
  await writeFile(join(home, 'dir', 'run é'), 'run', { mode: 0o755 });
  await symlink('sub', join(home, 'dir', 'link'));
  return home;
}

for (const [name, open] of Object.entries(registries)) {
  describe(`artifacts in ${name}`, { concurrency: false }, () => {
    it('that ocictl pushes are pulled by oras, files and directories', async (t) => {
      const host = needs(t, 'oras') ? await open(t) : undefined;
      if (host === undefined) return;
      const home = await writeFiles(t);
      await succeed(t, ['artifact', 'push', `${host}/team/files:1`, ...Object.keys(content), 'dir']);
      await run(t, 'oras', ['pull', '--plain-http', `${host}/team/files:1`, '-o', 'out']);
      for (const [file, bytes] of Object.entries(content)) {
        assert.deepEqual(await readFile(join(home, 'out', file)), bytes, file);
      }
      await run(t, 'diff', ['-r', 'dir', 'out/dir']);
    });

    it('that ocictl pushes are read by regctl', async (t) => {
      const host = needs(t, 'regctl') ? await open(t) : undefined;
      if (host === undefined) return;
      const home = await writeFiles(t);
      const words = Object.keys(content).map((file) => `${file}:application/x.data`);
      await succeed(t, ['artifact', 'push', `${host}/team/files:1`, '--artifact-type', 'a/b', ...words]);
      await mkdir(join(home, 'got'));
      const reference = ['--host', `reg=${host},tls=disabled`, `${host}/team/files:1`];
      await run(t, 'regctl', ['artifact', 'get', ...reference, '--output', 'got']);
      for (const [file, bytes] of Object.entries(content)) {
        assert.deepEqual(await readFile(join(home, 'got', file)), bytes, file);
      }
    });

    it('that ocictl attaches are shown by oras and regctl', async (t) => {
      const host = needs(t, 'oras', 'regctl') ? await open(t) : undefined;
      if (host === undefined) return;
      await writeFiles(t);
      const image = `${host}/team/app:1`;
      await run(t, 'oras', ['push', '--plain-http', image, 'plain.txt']);
      const attached = new Set<string>();
      for (const file of ['plain.txt', 'none']) {
        const reference = await succeed(t, ['attach', image, file, '--artifact-type', 'c/d', '-a', `of=${file}`]);
        attached.add(reference.split('@')[1] ?? '');
      }
      const discovered = await run(t, 'oras', ['discover', '--plain-http', '--format', 'json', image]);
      const { referrers } = JSON.parse(discovered.stdout);
      assert.deepEqual(new Set(referrers.map(({ digest }: { digest: string }) => digest)), attached);
      for (const { artifactType, annotations } of referrers) {
        assert.equal(artifactType, 'c/d');
        assert.match(annotations.of, /^(?:plain\.txt|none)$/);
      }
      const listed = await run(t, 'regctl', [
        ...['artifact', 'list', '--host', `reg=${host},tls=disabled`, '--format', '{{json .Descriptors}}', image],
      ]);
      assert.deepEqual(new Set(JSON.parse(listed.stdout).map(({ digest }: { digest: string }) => digest)), attached);
      const [first = ''] = attached;
      await run(t, 'oras', ['pull', '--plain-http', `${host}/team/app@${first}`, '-o', 'attached']);
    });
  });
}

describe('the same input', () => {
  it('is the same artifact as that of oras, byte for byte', async (t) => {
    if (!needs(t, 'oras')) return;
    await writeFiles(t);
    const time = '2026-01-01T00:00:00Z';
    const annotations = { $manifest: { b: '1', a: '2' }, $config: { c: '3' }, none: { d: '4' } };
    await writeFile(join((await sandbox(t)).home, 'a.json'), JSON.stringify(annotations));
    const rows: readonly (readonly string[])[] = [
      [],
      ['plain.txt', 'none:a/b'],
      ['--artifact-type', 'a/b', 'with space é.json'],
      ['--image-spec', 'v1.0', 'none'],
      ['--image-spec', 'v1.0', '--artifact-type', 'a/b', 'none'],
      ['--image-spec', 'v1.0'],
      ['--config', 'plain.txt:c/d', 'none'],
      ['--config', 'plain.txt', 'none'],
      ['--config', 'plain.txt', '--artifact-type', 'a/b', 'none'],
    ];
    for (const words of rows) {
      const created = ['--annotation', `org.opencontainers.image.created=${time}`];
      await run(t, 'oras', ['push', '--oci-layout', 'theirs:1', ...created, ...words]);
      const theirs = await succeed(t, ['digest', 'oci:theirs:1']);
      const ours = await succeed(t, ['artifact', 'push', 'oci:ours:1', '--created', time, ...words]);
      assert.ok(ours.endsWith(theirs.split('@').at(-1) ?? '?'), words.join(' '));
    }
    await run(t, 'oras', ['push', '--oci-layout', 'theirs:2', '--artifact-platform', 'linux/arm/v5', 'none']);
    const config = await succeed(t, ['manifest', 'get', 'oci:theirs:2']);
    await succeed(t, ['artifact', 'push', 'oci:ours:2', '--set-platform', 'linux/arm/v5', 'none']);
    const own = await succeed(t, ['manifest', 'get', 'oci:ours:2']);
    assert.deepEqual(JSON.parse(own).config, JSON.parse(config).config);
    await run(t, 'oras', ['push', '--oci-layout', 'theirs:3', '--annotation-file', 'a.json', 'none']);
    const { annotations: dated, ...theirs } = JSON.parse(await succeed(t, ['manifest', 'get', 'oci:theirs:3']));
    await succeed(t, ['artifact', 'push', 'oci:ours:3', '--annotation-file', 'a.json', 'none']);
    const { annotations: undated, ...ours } = JSON.parse(await succeed(t, ['manifest', 'get', 'oci:ours:3']));
    assert.deepEqual(ours, theirs);
    assert.deepEqual(
      { ...undated, 'org.opencontainers.image.created': 0 },
      { ...dated, 'org.opencontainers.image.created': 0 },
    );
  });
});

describe('a registry that takes no fallback tag', () => {
  it('has the attachment without listing it, which is an error; the same command lists it later', async (t) => {
    if (!needs(t, 'docker-registry', 'oras')) return;
    await writeFiles(t);
    const proxy = await startFaultProxy(t, (await startDockerRegistry(t)).url);
    const image = `${proxy.host}/team/app:1`;
    await run(t, 'oras', ['push', '--plain-http', image, 'plain.txt']);
    const attach = ['attach', image, 'none', '--artifact-type', 'c/d'];
    proxy.fail({ path: /manifests\/sha256-/, method: 'PUT', status: 403 });
    const refused = await ocictl(t, attach);
    assert.equal(refused.exitCode, 4, refused.stderr);
    assert.match(refused.stderr, /sha256:[0-9a-f]{64} was stored, but not listed/);
    proxy.heal();
    await succeed(t, attach);
    const { stdout } = await run(t, 'oras', ['discover', '--plain-http', '--format', 'json', image]);
    assert.equal(JSON.parse(stdout).referrers.length, 1);
  });
});
