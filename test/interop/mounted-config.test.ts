import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { base64 } from '../commands/login/stored-credentials.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox } from '../support/sandbox.ts';

const program = join(projectRoot, 'bin', 'ocictl.js');

describe('a config.json that is mounted by itself, as into a container', () => {
  it('is written in place by login and logout', async (t) => {
    if (!needs(t, 'unshare', 'mount')) return;
    const { home, env } = await sandbox(t);
    const config = join(home, '.docker', 'config.json');
    const outside = join(home, 'outside.json');
    const before = { auths: { other: { auth: base64('bob:x') } }, psFormat: 'x'.repeat(300) };
    await writeFile(outside, JSON.stringify(before), { mode: 0o640 });
    const { ino } = await stat(outside);
    const script = [
      `mkdir -p "$(dirname '${config}')" && touch '${config}' && mount --bind '${outside}' '${config}'`,
      `echo secret | "$NODE" '${program}' login --no-verify --store file -u ada --password-stdin example.com`,
      `"$NODE" '${program}' logout other`,
      `ls -A "$(dirname '${config}')"`,
    ].join(' && ');
    const words = ['-rm', 'sh', '-c', script];
    const { exitCode, stdout, stderr } = await start(t, 'unshare', words, {
      env: { ...env, HOME: home, DOCKER_CONFIG: join(home, '.docker'), NODE: process.execPath },
      cwd: home,
    }).result;
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout.trim().split('\n').at(-1), 'config.json');
    const after = await readFile(outside, 'utf8');
    assert.deepEqual(JSON.parse(after), {
      auths: { 'example.com': { auth: base64('ada:secret') } },
      psFormat: before.psFormat,
    });
    assert.ok(after.endsWith('}\n') && !after.endsWith('\n\n'), 'nothing is left of what was longer');
    const { ino: same, mode } = await stat(outside);
    assert.equal(same, ino);
    assert.equal(mode & 0o777, 0o640);
  });
});
