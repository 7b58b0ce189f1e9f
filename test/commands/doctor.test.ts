import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { doctor, writeDockerConfig } from '../support/doctor.ts';
import { sandbox } from '../support/sandbox.ts';

describe('ocictl doctor without a reference', () => {
  it('lists files, store and helpers', async (t) => {
    const { dockerConfig: directory, store } = await sandbox(t);
    await writeDockerConfig(t, {
      credHelpers: { 'registry.example.com': 'nowhere' },
      auths: { 'other.example.com': {} },
    });
    const found = await doctor(t, []);
    assert.equal(found.exitCode, 2, 'a helper that is configured and missing is a fault of the configuration');
    const files = found.find('settings').map(({ text }) => text);
    assert.ok(files.includes(`${join(directory, 'config.json')}: read`), files.join('\n'));
    assert.match(
      found.find('store')[0]?.text ?? '',
      new RegExp(`^${store} \\(OCICTL_ROOT\\): will be made, [\\d.]+ GB free$`),
    );
    const credentials = found.find('credentials').map(({ text }) => text);
    assert.match(credentials[0] ?? '', /logins for other\.example\.com$/);
    assert.match(credentials[1] ?? '', /docker-credential-nowhere is not on PATH/);
    assert.match(credentials[2] ?? '', /^no keychain: /);
    assert.match(found.find('program')[0]?.text ?? '', /^ocictl [\d.]+, Node [\d.]+, linux\/\w+$/);
  });

  it('is content with a machine where nothing is set up', async (t) => {
    const found = await doctor(t, []);
    assert.equal(found.exitCode, 0);
  });

  it('names the file, line and column of a fault', async (t) => {
    await writeFile((await sandbox(t)).daemonJson, '{\n  "registry-mirrors": [,]\n}');
    const found = await doctor(t, []);
    assert.equal(found.exitCode, 2);
    const faults = found.find('settings').filter(({ status }) => status === 'problem');
    assert.match(faults[0]?.text ?? '', /daemon\.json:2:\d+/);
  });

  it('names a store that cannot be written', async (t) => {
    const { home } = await sandbox(t);
    const file = join(home, 'file');
    await writeFile(file, '');
    const found = await doctor(t, [], { OCICTL_ROOT: file });
    assert.equal(found.exitCode, 10);
    assert.match(found.find('store')[0]?.text ?? '', /is not a directory$/);
  });
});
