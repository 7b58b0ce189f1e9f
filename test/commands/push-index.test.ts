import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ocictl } from '../support/command.ts';
import { keepImage } from '../support/local-store.ts';
import { app, assertWhole, buildDemoIndex, latest, startPlace } from './copy/places.ts';

describe('ocictl push of an index', () => {
  it('sends it whole, with attestations, when all of it is here', async (t) => {
    const { host, registry } = await startPlace(t);
    const { index } = await buildDemoIndex();
    await keepImage(t, `${host}/team/app`, index);
    const { exitCode, stdout, stderr } = await ocictl(t, ['push', `${host}/team/app`]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, new RegExp(`^latest: digest: ${index.descriptor.digest} size: `, 'm'));
    await assertWhole(registry, app, index);
  });

  it('sends the one image that is here in its stead, and says so', async (t) => {
    const { host, registry } = await startPlace(t);
    const { index, arm64, riscv64, attestation, amd64 } = await buildDemoIndex();
    await keepImage(t, `${host}/team/app`, index, { omit: [arm64, riscv64, attestation] });
    const { exitCode, stdout, stderr } = await ocictl(t, ['push', `${host}/team/app`]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, new RegExp(`^latest: digest: ${amd64.descriptor.digest} size: `, 'm'));
    assert.match(stderr, /only linux\/amd64 is here/);
    assert.match(stderr, /ocictl pull --platform all/);
    assert.equal((await registry.statManifest(app, latest)).digest, amd64.descriptor.digest);
  });

  it('names the platforms that are absent when several are here, and sends nothing', async (t) => {
    const { host, proxy } = await startPlace(t);
    const { index, arm64, riscv64, attestation } = await buildDemoIndex();
    await keepImage(t, `${host}/team/app`, index, { omit: [riscv64, attestation] });
    const { exitCode, stderr } = await ocictl(t, ['push', `${host}/team/app`]);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /linux\/riscv64/);
    assert.doesNotMatch(stderr, /linux\/a/);
    assert.match(stderr, /ocictl pull --platform all.*--platform/);
    assert.ok(proxy.requests.every(({ method }) => method === 'GET' || method === 'HEAD'));
    const one = await ocictl(t, ['push', '--platform', 'linux/arm64', `${host}/team/app`]);
    assert.equal(one.exitCode, 0, one.stderr);
    assert.match(one.stdout, new RegExp(`^latest: digest: ${arm64.descriptor.digest} `, 'm'));
  });

  it('has a hint if the requested platform was not pulled', async (t) => {
    const { host } = await startPlace(t);
    const { index, arm64, riscv64, attestation } = await buildDemoIndex();
    await keepImage(t, `${host}/team/app`, index, { omit: [arm64, riscv64, attestation] });
    const { exitCode, stderr } = await ocictl(t, ['push', '--platform', 'linux/arm64', `${host}/team/app`]);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /linux\/arm64/);
    assert.match(stderr, /ocictl pull --platform linux\/arm64/);
  });
});
