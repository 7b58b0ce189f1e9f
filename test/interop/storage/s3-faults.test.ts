import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { spawnServe } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { startVersitygw } from '../../support/programs/versitygw.ts';
import { needs } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';

const slowDown = '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>';
const [repo, tag] = [parseRepositoryName('team/app'), parseTag('1')];

describe('serve over a store that is ill', () => {
  it('goes on through a storm of 503, resets and lost answers', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await startVersitygw(t);
    const proxy = await startFaultProxy(t, gateway.url);
    const root = `s3://${gateway.bucket}/team?endpoint=${proxy.url}`;
    const { url } = await spawnServe(t, ['--root', root], { env: gateway.env });
    const faults = [{ status: 503, body: slowDown }, { cutAfterBytes: 0 }, { losesAnswer: true }];
    proxy.failByChance({ probability: 0.15, seed: 'storm', faults });
    const image = await buildImage({ layers: [{ files: { app: 'kept', data: 'x'.repeat(300_000) } }] });
    await pushImage(openRemote(t, url), repo, tag, image);
    const found = await openRemote(t, url).statManifest(repo, tag);
    assert.equal(found.digest, image.descriptor.digest);
    assert.ok(proxy.requests.some(({ status }) => status === 503));
  });

  it('answers 503, without a name of the store, while it refuses everything, and serves again afterwards', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const gateway = await startVersitygw(t);
    const proxy = await startFaultProxy(t, gateway.url);
    const root = `s3://${gateway.bucket}/team?endpoint=${proxy.url}`;
    const { url } = await spawnServe(t, ['--root', root], { env: gateway.env });
    const image = await buildImage({ layers: [{ files: { app: 'kept' } }] });
    await pushImage(openRemote(t, url), repo, tag, image);
    proxy.fail({ status: 503, body: slowDown });
    const refused = await fetch(`${url}/v2/team/app/manifests/1`);
    assert.equal(refused.status, 503);
    assert.match(await refused.text(), /"UNAVAILABLE","message":"not available at the moment"/);
    proxy.heal();
    assert.equal((await fetch(`${url}/v2/team/app/manifests/1`)).status, 200);
  });
});
