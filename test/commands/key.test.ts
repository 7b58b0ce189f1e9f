import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readPrivateKey } from '../../src/trust/keys/private-key.ts';
import { keyHint } from '../../src/trust/keys/public-key.ts';
import { ocictl, spawnOcictl } from '../support/command.ts';
import { needs } from '../support/programs.ts';
import { sandbox } from '../support/sandbox.ts';

const env = { COSIGN_PASSWORD: 'secret' };

describe('ocictl key generate', () => {
  it('writes a private key that its owner alone can read, and the public key that belongs to it', async (t) => {
    const { home } = await sandbox(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['key', 'generate', '--json'], { env });
    assert.equal(exitCode, 0, stderr);
    const { hint, ...files } = JSON.parse(stdout) as Record<string, string>;
    assert.deepEqual(files, { privateKey: 'cosign.key', publicKey: 'cosign.pub' });
    assert.equal((await stat(join(home, 'cosign.key'))).mode & 0o777, 0o600);
    const key = await readPrivateKey(await readFile(join(home, 'cosign.key'), 'utf8'), 'it', async () => 'secret');
    const publicKey = createPublicKey(await readFile(join(home, 'cosign.pub'), 'utf8'));
    assert.ok(createPublicKey(key).equals(publicKey));
    assert.equal(hint, keyHint(publicKey));
  });

  it('replaces no file that exists, and leaves none behind', async (t) => {
    const { home } = await sandbox(t);
    await writeFile(join(home, 'team.pub'), 'mine');
    const words = ['key', 'generate', '--output-prefix', 'team'];
    const { exitCode, stderr } = await ocictl(t, words, { env });
    assert.deepEqual([exitCode, /team\.pub exists already/.test(stderr)], [9, true]);
    assert.equal(await readFile(join(home, 'team.pub'), 'utf8'), 'mine');
    const beginning = (await readdir(home)).filter((name) => name.startsWith('team'));
    assert.deepEqual(beginning, ['team.pub']);
    const forced = await ocictl(t, [...words, '--force'], { env });
    assert.deepEqual([forced.exitCode, forced.stdout], [0, 'Private key: team.key\nPublic key: team.pub\n']);
    const missing = await ocictl(t, ['key', 'generate', '--output-prefix', 'no/where/team'], { env });
    assert.deepEqual([missing.exitCode, /no directory no\/where/.test(missing.stderr)], [10, true]);
  });

  it('takes the password from a file, and says what to do where there is none and no terminal', async (t) => {
    const { home } = await sandbox(t);
    await writeFile(join(home, 'password'), 'of the file\n');
    const made = await ocictl(t, ['key', 'generate', '--password-file', 'password'], { env });
    assert.equal(made.exitCode, 0, made.stderr);
    const text = await readFile(join(home, 'cosign.key'), 'utf8');
    assert.ok(await readPrivateKey(text, 'it', async (attempt) => (attempt === 1 ? 'of the file' : undefined)));
    const none = await ocictl(t, ['key', 'generate', '--output-prefix', 'other']);
    assert.deepEqual([none.exitCode, /COSIGN_PASSWORD/.test(none.stderr)], [2, true]);
  });

  it('asks for the password twice', async (t) => {
    if (!needs(t, 'script')) return;
    const { home } = await sandbox(t);
    for (const [again, status] of [
      ['typed', 0],
      ['mistyped', 2],
    ] as const) {
      const words = ['key', 'generate', '--output-prefix', again];
      const running = await spawnOcictl(t, words, { tty: true, typing: true });
      await running.waitFor(/Password for the private key: /);
      running.child.stdin?.write('typed\n');
      await running.waitFor(/The same again: /);
      running.child.stdin?.write(`${again}\n`);
      const { exitCode, stdout } = await running.result;
      assert.equal(exitCode, status, stdout);
    }
    const text = await readFile(join(home, 'typed.key'), 'utf8');
    assert.ok(await readPrivateKey(text, 'it', async (attempt) => (attempt === 1 ? 'typed' : undefined)));
    await assert.rejects(readFile(join(home, 'mistyped.key')));
  });
});
