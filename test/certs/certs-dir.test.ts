import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certsDir, hostCertsDir } from '../../src/certs/certs-dir.ts';
import { isOciError } from '../../src/model/errors.ts';

describe('the certs.d directory', () => {
  const homedir = '/home/ada';
  const places = [
    ['root', { platform: 'linux', uid: 0, env: {}, homedir }, '/etc/docker/certs.d'],
    ['rootless', { platform: 'linux', uid: 1000, env: {}, homedir }, '/home/ada/.config/docker/certs.d'],
    [
      'rootless with XDG_CONFIG_HOME',
      { platform: 'linux', uid: 1000, env: { XDG_CONFIG_HOME: '/cfg' }, homedir },
      '/cfg/docker/certs.d',
    ],
    ['macOS', { platform: 'darwin', uid: 501, env: {}, homedir }, '/home/ada/.docker/certs.d'],
    [
      'Windows',
      { platform: 'win32', uid: undefined, env: { ProgramData: 'D:\\Data' }, homedir },
      'D:\\Data\\docker\\certs.d',
    ],
  ] as const;
  for (const [who, where, expected] of places) {
    it(`is ${expected} for ${who}`, () => assert.equal(certsDir(where), expected));
  }
});

describe('the directory of a host', () => {
  it('is the host as written', () => {
    assert.equal(hostCertsDir('/c', 'registry.example.com', 'linux'), '/c/registry.example.com');
    assert.equal(hostCertsDir('/c', 'localhost:5000', 'linux'), '/c/localhost:5000');
    assert.equal(hostCertsDir('/c', '[::1]:5000', 'linux'), '/c/[::1]:5000');
  });

  it('has no colons on Windows', () => {
    assert.equal(hostCertsDir('C:\\c', 'localhost:5000', 'win32'), 'C:\\c\\localhost5000');
  });

  for (const host of ['..', '../..', 'a/../../etc', 'a/b', 'a\\b', '.', '', 'a\0b', 'x..y']) {
    it(`does not follow ${JSON.stringify(host)} out of certs.d`, () => {
      assert.throws(
        () => hostCertsDir('/c', host, 'linux'),
        (error) => isOciError(error, 'CONFIG_INVALID'),
      );
    });
  }
});
