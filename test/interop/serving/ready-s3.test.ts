import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { spawnOcictl, spawnServe } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startVersitygw } from '../../support/programs/versitygw.ts';
import { needs } from '../../support/programs.ts';

/** How many ports a process listens on. */
function listening(pid: number): number {
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
    } catch {
      return undefined; // closed meanwhile
    }
  });
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1);
  const listeners = lines.map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === '0A');
  return listeners.filter(([, , , , , , , , , inode]) => sockets.includes(inode)).length;
}

describe('/readyz of ocictl serve on S3', () => {
  it('costs one request in ten seconds, and is 503 without the store; other requests are tried', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await startVersitygw(t);
    const root = `s3://${gateway.bucket}/images?endpoint=${gateway.url}&region=${gateway.region}&path-style=true`;
    const { url, child, result } = await spawnServe(t, ['--root', root, '--drain', '1s'], { env: gateway.env });
    const lists = async (): Promise<number> =>
      (await gateway.requests()).filter(({ operation }) => operation.startsWith('ListObjects')).length;
    const before = await lists();
    for (let i = 0; i < 20; i += 1) assert.equal((await fetch(`${url}/readyz`)).status, 200);
    // The last list of its start may be told late.
    assert.ok((await lists()) - before <= 2);
    await gateway.stop();
    let answer = await fetch(`${url}/readyz`);
    // The last answer counts for ten seconds.
    while (answer.status === 200) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      answer = await fetch(`${url}/readyz`);
    }
    assert.equal(answer.status, 503);
    assert.doesNotMatch(await answer.text(), /127\.0\.0\.1|registry|testkey/);
    assert.equal((await fetch(`${url}/livez`)).status, 200);
    child.kill('SIGTERM');
    assert.equal((await result).exitCode, 0);
  });

  it('is not there before the storage was opened: no port is', {
    skip: process.platform !== 'linux' && 'reads /proc',
  }, async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await startVersitygw(t);
    const proxy = await startFaultProxy(t, gateway.url);
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      const held = new Promise<void>((release) => {
        answer = release;
      });
      proxy.fail({
        before: async () => {
          resolve();
          await held;
        },
      });
    });
    const root = `s3://${gateway.bucket}/images?endpoint=${proxy.url}`;
    const words = ['serve', '--root', root, '--addr', '127.0.0.1:0'];
    const running = await spawnOcictl(t, words, { env: gateway.env });
    await asked;
    assert.equal(running.output().stdout, '');
    assert.equal(listening(Number(running.child.pid)), 0);
    answer();
    const [, url] = await running.waitFor(/on (http:\/\/\S+)/);
    assert.equal(listening(Number(running.child.pid)), 1);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
  });
});
