import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { doctor, writeDockerConfig } from '../support/doctor.ts';
import { deadAddress } from '../support/network/ports.ts';
import { startServe } from '../support/registries.ts';
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

describe('ocictl doctor of an image that its mirror lacks, while the registry is unreachable', () => {
  const start = async (
    t: TestContext,
  ): Promise<{ readonly image: string; readonly mirror: string; readonly env: Record<string, string> }> => {
    const mirror = await startServe(t);
    const dead = await deadAddress();
    const rule = { prefix: dead, mirrors: [mirror.url] };
    const file = join((await sandbox(t)).home, 'config.yaml');
    await writeFile(file, JSON.stringify({ registries: [rule] }));
    return { image: `${dead}/team/app:nope`, mirror: mirror.host, env: { OCICTL_CONFIG: file } };
  };

  it('says once why a pull would fail, and stderr has neither the reason nor a warning of the pull', async (t) => {
    const { image, mirror, env } = await start(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['doctor', image], { env });
    assert.equal(exitCode, 5);
    assert.equal(stderr, `error: a pull of ${image} would fail\n`);
    const host = image.split('/')[0];
    const reason = `would fail: mirror ${mirror} has no team/app:nope, and ${host} cannot be reached (connection refused)`;
    assert.ok(stdout.includes(`problem  pull          ${reason}\n`), stdout);
  });

  it('has the whole error on stderr with --json', async (t) => {
    const { image, env } = await start(t);
    const { stderr } = await ocictl(t, ['doctor', '--json', image], { env });
    assert.match(stderr, /"message":"mirror \S+ has no team\/app:nope, and \S+ cannot be reached/);
  });
});
