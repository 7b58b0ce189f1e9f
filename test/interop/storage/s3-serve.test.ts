import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { madeBytes } from '../../storage/stores.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startVersitygw } from '../../support/programs/versitygw.ts';
import { needs } from '../../support/programs.ts';

describe('serve over a bucket', () => {
  it('sends clients to the store, with a URL that it takes for GET, and for ranges', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await startVersitygw(t);
    const root = `s3://${gateway.bucket}/a%20team?endpoint=${gateway.url}`;
    const { url } = await spawnServe(t, ['--root', root, '--redirect'], { env: gateway.env });
    const bytes = madeBytes('a blob', 100_000);
    const digest = await digestBytes(bytes);
    const begun = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    const place = new URL(begun.headers.get('location') ?? '', url);
    place.searchParams.set('digest', digest);
    assert.equal((await fetch(place, { method: 'PUT', body: bytes })).status, 201);
    const sent = await fetch(`${url}/v2/team/app/blobs/${digest}`, { redirect: 'manual' });
    assert.equal(sent.status, 307);
    const at = sent.headers.get('location') ?? '';
    assert.equal(new URL(at).host, gateway.host);
    const part = await fetch(at, { headers: { range: 'bytes=10-19' } });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), Buffer.from(bytes.subarray(10, 20)));
    assert.equal((await fetch(at.replace(/.$/, (c) => (c === '0' ? '1' : '0')))).status, 403);
  });

  it('is collected while it serves, and what is pushed stays', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await startVersitygw(t);
    const root = `s3://${gateway.bucket}/team?endpoint=${gateway.url}`;
    const { url } = await spawnServe(t, ['--root', root], { env: gateway.env });
    const bytes = madeBytes('wanted', 1_000);
    const digest = await digestBytes(bytes);
    const begun = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    const place = new URL(begun.headers.get('location') ?? '', url);
    place.searchParams.set('digest', digest);
    assert.equal((await fetch(place, { method: 'PUT', body: bytes })).status, 201);
    // No manifest names it, but a client of the server may push one.
    const { exitCode, stderr } = await ocictl(t, ['storage', 'gc', '--root', root, '--grace', '0'], {
      env: gateway.env,
    });
    assert.equal(exitCode, 0, stderr);
    assert.equal((await fetch(`${url}/v2/team/app/blobs/${digest}`)).status, 200);
  });
});
