import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spawnServe } from '../../support/command.ts';
import { startVersitygw } from '../../support/programs/versitygw.ts';
import { needs } from '../../support/programs.ts';

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
});
