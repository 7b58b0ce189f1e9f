/** What oras and regctl push is pulled byte for byte. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ocictl, spawnServe } from '../../support/command.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const exec = promisify(execFile);

interface Source {
  readonly title: string;
  /** Starts it. @returns How oras and ocictl name it. */
  readonly start: (
    t: TestContext,
  ) => Promise<{ readonly oras: readonly string[]; readonly ocictl: string; readonly host?: string }>;
}

const hosted = (host: string) => ({
  oras: ['--plain-http', `${host}/team/files:1`],
  ocictl: `${host}/team/files:1`,
  host,
});

const sources: readonly Source[] = [
  { title: 'docker-registry 2.8', start: async (t) => hosted((await startDockerRegistry(t)).host) },
  { title: 'distribution 3', start: async (t) => hosted((await startDockerRegistry(t, { distribution: 3 })).host) },
  { title: 'ocictl serve', start: async (t) => hosted((await spawnServe(t, ['--memory'])).host) },
  { title: 'a layout', start: async () => ({ oras: ['--oci-layout', 'layout:1'], ocictl: 'oci:layout:1' }) },
];

/** Files of all kinds. @returns Their names, for a command line. */
async function makeFiles(directory: string): Promise<readonly string[]> {
  await mkdir(join(directory, 'tree', 'deep er', 'ü'), { recursive: true });
  await writeFile(join(directory, 'plain.bin'), randomBytes(3_000_000));
  await writeFile(join(directory, 'with space.txt'), 'space');
  await writeFile(join(directory, '日本語.txt'), 'unicode');
  await writeFile(join(directory, 'empty'), '');
  await writeFile(join(directory, 'tree', 'run'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(directory, 'tree', 'deep er', 'ü', 'f'), randomBytes(100_000));
  await writeFile(join(directory, 'tree', 'private'), 'p');
  await chmod(join(directory, 'tree', 'private'), 0o600);
  // Of whole seconds: oras rounds them.
  for (const name of ['run', 'private', 'deep er/ü/f'])
    await utimes(join(directory, 'tree', name), 1_000_000, 1_000_000);
  await symlink('deep er/ü/f', join(directory, 'tree', 'link'));
  return ['plain.bin:application/vnd.example.unknown', 'with space.txt', '日本語.txt', 'empty', 'tree'];
}

/** Every file below a directory: kind, mode, and content or target. */
async function tell(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(directory.length + 1);
    if (entry.isFile()) found[name] = (await readFile(path)).toString('base64');
    else found[name] = entry.isSymbolicLink() ? `-> ${await readlink(path)}` : 'directory';
  }
  return found;
}

for (const { title, start } of sources) {
  describe(`what oras pushed to ${title}`, () => {
    it('is pulled as it was, files and directories', async (t) => {
      if (!needs(t, 'oras', 'docker-registry', 'registry')) return;
      const { home } = await sandbox(t);
      const from = await start(t);
      const made = join(home, 'made');
      const words = await makeFiles(made);
      const oras = from.oras.map((word) => word.replace('layout:', join(home, 'layout:')));
      await exec('oras', ['push', ...oras, ...words], { cwd: made });
      const { exitCode, stderr, stdout } = await ocictl(t, ['artifact', 'pull', '-q', '-o', 'out', from.ocictl]);
      assert.deepEqual([exitCode, stderr], [0, '']);
      assert.equal(stdout.split('\n').length, 6);
      assert.deepEqual(await tell(join(home, 'out')), await tell(made));
      await exec('oras', ['pull', ...oras, '-o', 'theirs'], { cwd: home });
      const listed = (directory: string) =>
        exec('find', ['.', '-type', 'f', '-path', './tree/*', '-printf', '%p %m %T@\n'], {
          cwd: join(home, directory),
        });
      const ours = (await listed('out')).stdout.split('\n').sort();
      assert.deepEqual(ours, (await listed('made')).stdout.split('\n').sort());
      const json = JSON.parse((await ocictl(t, ['artifact', 'pull', '--json', '-o', 'out', from.ocictl])).stdout);
      const theirs = JSON.parse(
        (await exec('oras', ['pull', ...oras, '-o', 'out', '--format', 'json'], { cwd: home })).stdout,
      );
      const paths = (files: readonly { readonly path: string; readonly digest: string }[]) =>
        files.map(({ path, digest }) => `${path} ${digest}`).sort();
      assert.deepEqual(paths(json.files), paths(theirs.files));
    });

    it('may be the current directory, its config, or no files at all', async (t) => {
      if (!needs(t, 'oras', 'docker-registry', 'registry')) return;
      const { home } = await sandbox(t);
      const from = await start(t);
      const made = join(home, 'made');
      await makeFiles(made);
      const oras = from.oras.map((word) => word.replace('layout:', join(home, 'layout:')));
      await exec('oras', ['push', ...oras, '.'], { cwd: made });
      assert.equal((await ocictl(t, ['artifact', 'pull', '-q', '-o', 'dot', from.ocictl])).exitCode, 0);
      assert.deepEqual(await tell(join(home, 'dot')), await tell(made));
      await exec('oras', ['push', ...oras, '--image-spec', 'v1.0', '--config', 'empty:text/conf', 'with space.txt'], {
        cwd: made,
      });
      const { exitCode } = await ocictl(t, ['artifact', 'pull', '-q', '--config', 'c', '-o', 'old', from.ocictl]);
      assert.equal(exitCode, 0);
      assert.deepEqual(Object.keys(await tell(join(home, 'old'))).sort(), ['c', 'with space.txt']);
      await exec('oras', ['push', ...oras, '--artifact-type', 'text/none'], { cwd: made });
      const none = await ocictl(t, ['artifact', 'pull', '-q', '-o', 'none', from.ocictl]);
      assert.deepEqual([none.exitCode, none.stdout], [0, '']);
      assert.match(none.stderr, /has no files/);
    });
  });
}

describe('what regctl put', () => {
  it('is pulled with titles, and goes to standard output without', async (t) => {
    if (!needs(t, 'regctl', 'docker-registry')) return;
    const { home, env } = await sandbox(t);
    const { host } = await startDockerRegistry(t);
    await writeFile(join(home, 'a file'), 'content');
    const regctl = async (...words: readonly string[]): Promise<void> => {
      await exec('regctl', ['--host', `reg=${host},tls=disabled`, 'artifact', 'put', ...words], {
        cwd: home,
        env: { ...process.env, ...env },
      });
    };
    await regctl('--artifact-type', 'text/x', '--file-title', '-f', 'a file', `${host}/team/files:titled`);
    await regctl('--artifact-type', 'text/x', '-f', 'a file', `${host}/team/files:untitled`);
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'out', `${host}/team/files:titled`])).exitCode, 0);
    assert.equal(await readFile(join(home, 'out', 'a file'), 'utf8'), 'content');
    const printed = await ocictl(t, ['artifact', 'pull', '-o', '-', `${host}/team/files:untitled`]);
    assert.deepEqual([printed.exitCode, printed.stdout], [0, 'content'], printed.stderr);
    const told = await ocictl(t, ['artifact', 'pull', '-q', '-o', 'none', `${host}/team/files:untitled`]);
    assert.match(told.stderr, /1 layer has no title/);
  });
});
