import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { writeDockerConfig } from '../../support/doctor.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('the hint of an error', () => {
  for (const config of [[], 'text', 1, { auths: [] }, { credHelpers: [] }, { credsStore: 1 }]) {
    it(`about a config.json that is ${JSON.stringify(config)}`, async (t) => {
      await writeDockerConfig(t, config);
      const { exitCode, stderr } = await ocictl(t, ['pull', '127.0.0.1:1/app']);
      assert.equal(exitCode, 2);
      assert.match(
        stderr,
        /^error: \S+config\.json:1: .* must be .*\nhint: correct \S+config\.json; nothing was changed/,
      );
    });
  }

  it('about a layout that is not there, and one that leads out of itself', async (t) => {
    const { home } = await sandbox(t);
    await mkdir(join(home, 'linked'));
    await writeFile(join(home, 'linked', 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await symlink('/etc/passwd', join(home, 'linked', 'index.json'));
    const missing =
      /^error: there is no OCI layout at \S+: .*\nhint: check the path; ocictl copy IMAGE oci:DIR makes a layout\n$/;
    for (const words of [
      ['digest', 'oci:nowhere'],
      ['copy', 'oci:nowhere', 'store:app'],
      ['tags', 'oci:.'],
    ]) {
      const { exitCode, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 3);
      assert.match(stderr, missing);
    }
    const { exitCode, stderr } = await ocictl(t, ['digest', 'oci:linked']);
    assert.equal(exitCode, 10);
    assert.match(
      stderr,
      /index\.json is a symbolic link out of the layout, which is not followed\nhint: put what it leads to in/,
    );
  });

  it('about a value that is empty', async (t) => {
    for (const words of [
      ['tags', '--creds', ''],
      ['tags', '--certs-dir='],
      ['pull', '--insecure-registry', ''],
      ['copy', '--src-creds='],
    ]) {
      const { exitCode, stderr } = await ocictl(t, [
        ...words,
        '127.0.0.1:1/app',
        ...(words[0] === 'copy' ? ['oci:x'] : []),
      ]);
      assert.equal(exitCode, 2);
      const [option = ''] = words[1]?.split('=') ?? [];
      assert.equal(stderr, `error: ${option} is empty\nhint: give ${option} a value, or leave it out\n`);
    }
  });

  it('but not about a platform, a filter or a format that is empty, as in Docker', async (t) => {
    for (const words of [
      ['images', '--format', '', '--filter='],
      ['images', '--format='],
    ]) {
      const { exitCode, stdout } = await ocictl(t, words);
      assert.equal(exitCode, 0);
      assert.match(stdout, /^REPOSITORY /);
    }
    for (const command of ['pull', 'digest', 'inspect']) {
      assert.equal((await ocictl(t, [command, '--platform', '', '127.0.0.1:1/app'])).exitCode, 5);
    }
  });
});
