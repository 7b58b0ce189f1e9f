import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { spawnOcictl, spawnServe } from '../../support/command.ts';
import { basic } from '../../support/login-servers.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('SIGTERM to ocictl serve', () => {
  it('waits half of --drain for passwords that are compared: then they are answered with 503', async (t) => {
    const { home } = await sandbox(t);
    // One comparison takes half a second: all 30 would take longer than a stopping server waits.
    const hash = hashSync('right', 4).replace('$04$', '$13$');
    await writeFile(join(home, 'users'), `ada:${hash}\n`);
    const { url, child, result } = await spawnServe(t, ['--memory', '--auth', 'htpasswd=users', '--drain', '2s']);
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

  it('ends the start at once, with status 143, while a storage does not answer', async (t) => {
    const silent = createServer();
    const asked = new Promise<Socket>((resolve) => silent.once('connection', resolve));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const root = `s3://bucket/images?endpoint=http://127.0.0.1:${port}&region=us-east-1&path-style=true`;
    const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
    const { child, result } = await spawnOcictl(t, ['serve', '--root', root, '--addr', '127.0.0.1:0'], { env });
    const socket = await asked;
    t.after(() => socket.destroy());
    child.kill('SIGTERM');
    const { exitCode, stdout } = await result;
    assert.deepEqual([exitCode, stdout], [143, '']);
  });
});
