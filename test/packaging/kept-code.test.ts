import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ocictl } from '../support/command.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { type Scope, temporaryDirectory } from '../support/sandbox.ts';

/** A cache directory of a test's own, and what is kept there. */
async function startCache(t: Scope) {
  const cache = await temporaryDirectory(t);
  const folder = join(cache, 'ocictl', 'code');
  const run = async (env: Readonly<Record<string, string>> = {}) => {
    const ran = await ocictl(t, ['images'], { ownProcess: true, env: { XDG_CACHE_HOME: cache, ...env } });
    assert.deepEqual([ran.exitCode, ran.stderr], [0, ''], ran.stderr);
    assert.match(ran.stdout, /^REPOSITORY/);
  };
  const files = async (): Promise<string[]> => {
    const [version, ...more] = await readdir(folder);
    assert.ok(version !== undefined && more.length === 0, [version, ...more].join());
    return (await readdir(join(folder, version))).map((name) => join(folder, version, name));
  };
  /** What tells a file that was written anew, by its path. */
  const written = async () =>
    Object.fromEntries(
      await Promise.all(
        (await files()).map(async (file) => {
          const { ino, mtimeMs } = await stat(file);
          return [file, `${ino} ${mtimeMs}`] as const;
        }),
      ),
    );
  return { cache, folder, run, files, written };
}

describe('compiled code', () => {
  it('is kept by the first run, for its user alone, and taken by the next', async (t) => {
    const { folder, run, files, written } = await startCache(t);
    await run();
    const first = await written();
    assert.ok(Object.keys(first).length >= 3, Object.keys(first).join());
    for (const file of await files()) assert.equal((await stat(file)).mode & 0o777, 0o600, file);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    await run();
    assert.deepEqual(await written(), first);
  });

  it('is compiled anew where it is damaged: cut off, changed or of something else', async (t) => {
    const { run, files, written } = await startCache(t);
    await run();
    const damages: readonly ((bytes: Buffer) => Buffer)[] = [
      (bytes) => bytes.subarray(0, bytes.length - 100),
      (bytes) => bytes.subarray(0, 10),
      (bytes) => Buffer.concat([bytes, bytes]),
      (bytes) => {
        const changed = Buffer.from(bytes);
        changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 0x55;
        return changed;
      },
      () => Buffer.alloc(0),
      (bytes) => Buffer.alloc(bytes.length),
    ];
    for (const damage of damages) {
      const before = await written();
      for (const file of await files()) await writeFile(file, damage(await readFile(file)));
      await run();
      const after = await written();
      assert.deepEqual(Object.keys(after), Object.keys(before));
      for (const [file, state] of Object.entries(after)) assert.notEqual(state, before[file], file);
      await run();
      assert.deepEqual(await written(), after);
    }
  });

  it('is not taken from a file that others may write, or a link to one', async (t) => {
    const { run, files, written } = await startCache(t);
    await run();
    const [open = '', linked = ''] = await files();
    await chmod(open, 0o666);
    const before = await written();
    await run();
    const middle = await written();
    assert.notEqual(middle[open], before[open]);
    assert.equal((await stat(open)).mode & 0o777, 0o600);
    await rename(linked, `${linked}.elsewhere`);
    await symlink(`${linked}.elsewhere`, linked);
    await run();
    assert.notEqual((await written())[open], middle[open]);
    assert.ok((await lstat(linked)).isFile());
  });

  it('is not awaited from a pipe that another has put there', async (t) => {
    const { run, files } = await startCache(t);
    await run();
    const [file = ''] = await files();
    await rm(file);
    await promisify(execFile)('mkfifo', [file]);
    await run();
    assert.ok((await lstat(file)).isFile());
  });

  it('is not taken from another user, nor written into a directory of theirs', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root gives files away');
    const { cache, folder, run, files } = await startCache(t);
    await run();
    const [file = ''] = await files();
    await chown(file, 1000, 1000);
    await run();
    assert.equal((await stat(file)).uid, 0);
    await rm(folder, { recursive: true });
    await chown(join(cache, 'ocictl'), 1000, 1000);
    await run();
    await assert.rejects(readdir(folder), { code: 'ENOENT' });
  });

  it('is not kept if the cache cannot be written, or if Node is to compile anew', async (t) => {
    const { cache, folder, run } = await startCache(t);
    await run({ NODE_DISABLE_COMPILE_CACHE: '1' });
    await assert.rejects(readdir(folder), { code: 'ENOENT' });
    await mkdir(join(cache, 'ocictl'), { recursive: true });
    await writeFile(folder, 'no directory');
    await run();
    await run({ XDG_CACHE_HOME: '/dev/null/nowhere' });
    await run({ XDG_CACHE_HOME: 'relative' });
    await run({ XDG_CACHE_HOME: '/proc/none' });
  });

  it('is kept by a run that waited for a registry, whose traffic changes flags of V8', async (t) => {
    const { cache, files } = await startCache(t);
    const digest = `sha256:${'0'.repeat(64)}`;
    const registry = await startFakeServer(t, async (_, response) => {
      await sleep(300);
      const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json', 'content-length': 100 };
      response.writeHead(200, { ...type, 'docker-content-digest': digest }).end();
    });
    const name = `${registry.host}/app:1`;
    const ran = await ocictl(t, ['digest', name], { ownProcess: true, env: { XDG_CACHE_HOME: cache } });
    assert.equal(ran.stdout, `${digest}\n`, ran.stderr);
    assert.ok((await files()).length >= 3);
  });

  it('belongs to the flags of V8', async (t) => {
    const { folder, run } = await startCache(t);
    await run();
    await run({ NODE_OPTIONS: '--max-old-space-size=200' });
    assert.equal((await readdir(folder)).length, 2);
  });

  it('of versions unused for a month is removed', async (t) => {
    const { folder, run } = await startCache(t);
    for (const name of ['old', 'recent']) await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, 'old', 'x.usual'), 'x');
    await utimes(join(folder, 'old'), new Date(0), new Date(0));
    await run();
    const left = await readdir(folder);
    assert.ok(!left.includes('old') && left.includes('recent') && left.length === 2, left.join());
  });
});
