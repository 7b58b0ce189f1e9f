import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ocictl } from '../../support/command.ts';
import { randomBytes } from '../../support/layer.ts';
import { needs } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const exec = promisify(execFile);

describe('a layer in zstd:chunked that podman pushed', () => {
  it('is listed by its table, and a file of it comes by ranges', async (t) => {
    if (!needs(t, 'podman')) return;
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, 'context', 'd'), { recursive: true });
    const contents = Array.from({ length: 40 }, (_, i) => Buffer.concat([...randomBytes(200_000, String(i))]));
    for (const [i, content] of contents.entries())
      await writeFile(join(directory, 'context', 'd', `file-${i}`), content);
    await writeFile(join(directory, 'context', 'Containerfile'), 'FROM scratch\nCOPY d /d/\n');
    const { host } = await startServe(t);
    const places = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
    const podman = (...words: string[]) => exec('podman', [...places, ...words]);
    await podman('build', '-t', 'judged', join(directory, 'context'));
    const format = ['--tls-verify=false', '--compression-format', 'zstd:chunked'];
    await podman('push', ...format, 'judged', `docker://${host}/judged:1`);
    const traced = await ocictl(t, ['-v', 'files', `${host}/judged:1`, '/d', '--json']);
    assert.equal(traced.exitCode, 0, traced.stderr);
    assert.equal(traced.stdout.trim().split('\n').length, 40);
    assert.match(traced.stderr, /206/, 'a part was asked for');
    const { stdout, stderr, exitCode } = await ocictl(t, ['-v', 'cat', `${host}/judged:1`, '/d/file-7'], {
      ownProcess: true,
    });
    assert.deepEqual([exitCode, /read as a whole/.test(stderr)], [0, false], stderr);
    assert.ok(stdout.length > 0);
    assert.match(stderr, /206/);
    const out = join(directory, 'out');
    await ocictl(t, ['extract', `${host}/judged:1`, '/d/file-7', '-o', out]);
    await exec('cmp', [join(out, 'd', 'file-7'), join(directory, 'context', 'd', 'file-7')]);
  });
});
