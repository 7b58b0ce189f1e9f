import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { spawnServe } from '../../support/command.ts';
import { basic } from '../../support/login-servers.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('SIGTERM to ocictl serve', () => {
  it('is not kept waiting by passwords that are compared: they are answered with 503', async (t) => {
    const { home } = await sandbox(t);
    // One comparison takes seconds: all 30 would take longer than a stopping server waits.
    const hash = hashSync('right', 4).replace('$04$', '$14$');
    await writeFile(join(home, 'users'), `ada:${hash}\n`);
    const { url, child, result } = await spawnServe(t, ['--memory', '--auth', 'htpasswd=users']);
    const guesses = Array.from({ length: 30 }, (_, i) => {
      const headers = { authorization: basic({ username: 'ada', password: `guess ${i}` }) };
      return fetch(`${url}/v2/`, { headers }).then(({ status }) => status);
    });
    await Promise.race(guesses);
    child.kill('SIGTERM');
    const statuses = await Promise.all(guesses);
    assert.ok(statuses.includes(503), statuses.join());
    assert.deepEqual([...new Set(statuses)].sort(), [401, 503]);
    assert.equal((await result).exitCode, 0);
  });
});
