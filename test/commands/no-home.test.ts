import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { homeless, mayBeNobody } from '../support/homeless.ts';
import { buildImage } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { sandbox, temporaryDirectory } from '../support/sandbox.ts';

describe('a user without a home directory', () => {
  it('runs every command that needs no store, and reads no file of a home', async (t) => {
    if (!(await mayBeNobody(t))) return;
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    for (const words of [
      ['--help'],
      ['digest', `oci:${layout}:1`],
      ['copy', '-q', `oci:${layout}:1`, 'oci:other:1'],
      ['config', 'show'],
      ['config', 'path'],
      ['logout', 'registry.example'],
      ['with-login', '-u', 'ada', '--password-stdin', '--no-verify', 'registry.example', '--', 'true'],
    ]) {
      const { exitCode, stdout, stderr } = await homeless(t, words, {}, 'secret');
      assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
      if (words[0] !== '--help') assert.doesNotMatch(stdout, /\.docker|\.config|\.local|undefined/, words.join(' '));
    }
    const version = await homeless(t, ['version', '--json']);
    assert.equal(JSON.parse(version.stdout).store, null);
    const doctor = await homeless(t, ['doctor']);
    assert.match(doctor.stdout, /this user has no home directory/);
  });

  it('gets a hint from commands that need a store, which works', async (t) => {
    if (!(await mayBeNobody(t))) return;
    for (const words of [['images'], ['serve', '--store', '--addr', '127.0.0.1:0'], ['copy', 'store:a', 'oci:b']]) {
      const { exitCode, stderr } = await homeless(t, words);
      assert.equal(exitCode, 10, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, /no place for the local store: this user has no home directory/);
      assert.match(stderr, /\$OCICTL_ROOT/);
    }
    const root = join((await sandbox(t)).home, 'named');
    const named = await homeless(t, ['images'], { OCICTL_ROOT: root });
    assert.equal(named.exitCode, 0, named.stderr);
  });

  it('gets a hint from login on how to name a directory for credentials', async (t) => {
    if (!(await mayBeNobody(t))) return;
    const login = ['login', '--no-verify', '--store', 'file', '-u', 'ada', '--password-stdin', 'registry.example'];
    const { exitCode, stderr } = await homeless(t, login, {}, 'secret');
    assert.equal(exitCode, 10, stderr);
    assert.match(stderr, /no place for config\.json: this user has no home directory/);
    assert.match(stderr, /\$DOCKER_CONFIG/);
    const directory = join((await sandbox(t)).home, 'named');
    const named = await homeless(t, login, { DOCKER_CONFIG: directory }, 'secret');
    assert.equal(named.exitCode, 0, named.stderr);
  });
});
