/** A copy to Docker's daemon that is killed: an image is there whole or not at all, and the next run completes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../support/command.ts';
import { startDocker } from '../support/docker.ts';
import { buildImage } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { sandbox } from '../support/sandbox.ts';
import { finish, killed, killsOfEach } from './killed.ts';

const layerBytes = 12_000_000;
const name = 'team/app:1';

describe('a copy to docker-daemon:', () => {
  it(`that is killed ${killsOfEach} times leaves an image whole or not at all`, async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const { home, env: own } = await sandbox(t);
    const env = await startDocker(t);
    const image = await buildImage({
      platform: { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' },
      layers: ['a', 'b'].map((file) => ({ files: { [file]: randomBytes(layerBytes) }, compression: 'none' })),
    });
    await keepImage(t, name, image);
    const docker = async (...words: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await start(t, 'docker', words, { env: { ...own, ...env } }).result;
      assert.equal(exitCode, 0, stderr);
      return stdout.trim();
    };
    const ids = async (): Promise<readonly string[]> =>
      (await docker('images', '--all', '--quiet', '--no-trunc')).split('\n').filter((id) => id !== '');
    /** @returns Whether the image is there. */
    const check = async (): Promise<boolean> => {
      const there = await ids();
      if (there.length === 0) return false;
      assert.deepEqual(there, [image.config.descriptor.digest]);
      await rm(join(home, 'back'), { recursive: true, force: true });
      // Reads all layers. They were not compressed, so they have the same digests again.
      await finish(t, ['copy', '-q', `docker-daemon:${name}`, 'oci:back:1'], env);
      const { layers } = JSON.parse((await ocictl(t, ['manifest', 'get', 'oci:back:1'])).stdout);
      assert.deepEqual(
        layers.map(({ digest }: { readonly digest: string }) => digest),
        image.layers.map(({ descriptor }) => descriptor.digest),
      );
      return true;
    };
    const words = ['copy', '-q', `store:${name}`, `docker-daemon:${name}`];
    const began = performance.now();
    await finish(t, words, env);
    const usualMs = performance.now() - began;
    let whole = 0;
    await killed(t, words, {
      env,
      usualMs,
      before: async () => {
        for (const id of await ids()) await docker('rmi', '--force', id);
      },
      after: async () => {
        if (await check()) whole += 1;
      },
    });
    await finish(t, words, env);
    assert.ok(await check());
    assert.deepEqual(await readdir(own['TMPDIR'] ?? ''), [], 'no archive is left');
    t.diagnostic(`the image was there after ${whole} runs; one takes ${Math.round(usualMs)} ms`);
  });
});
