import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, imageFor, one, startPlace } from '../copy/places.ts';
import { adaAuth, writeConfig } from '../login/stored-credentials.ts';

async function startGuarded(t: Parameters<typeof startPlace>[0]) {
  const { registry, host, proxy } = await startPlace(t);
  await pushImage(registry, app, one, await imageFor('amd64'));
  proxy.fail({
    without: { authorization: basic(ada) },
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="test"', 'set-cookie': 'session=crumbs', 'x-amz-signature': 'crumbs' },
  });
  await writeConfig(t, { auths: { [host]: { auth: adaAuth } }, HttpHeaders: { 'X-Meta-Team': 'crumbs' } });
  return `${host}/team/app:1`;
}

describe('ocictl -v', () => {
  it('tells each request and its outcome in a line on stderr', async (t) => {
    const name = await startGuarded(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['-v', 'digest', name]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.match(stderr, /^HEAD http:\/\/\S+\/v2\/team\/app\/manifests\/1 → 401 in \d+ ms$/m);
    assert.match(stderr, /^HEAD http:\/\/\S+\/v2\/team\/app\/manifests\/1 → 200 in \d+ ms$/m);
    assert.doesNotMatch(stderr, /^ /m);
  });
});

describe('ocictl -vv', () => {
  it('tells the headers too, and nothing secret in them', async (t) => {
    const name = await startGuarded(t);
    const { exitCode, stderr } = await ocictl(t, ['-vv', 'digest', name]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^ {2}> accept: application\/vnd\.oci\.image/m);
    assert.match(stderr, /^ {2}> authorization: Basic …$/m);
    assert.match(stderr, /^ {2}> x-meta-team: …$/im);
    assert.match(stderr, /^ {2}< docker-content-digest: sha256:/m);
    assert.match(stderr, /^ {2}< www-authenticate: Basic realm="test"$/m);
    assert.match(stderr, /^ {2}< set-cookie: …$/m);
    for (const secret of [ada.password, adaAuth, 'crumbs']) assert.ok(!stderr.includes(secret), secret);
  });

  it('does not tell the headers that a rule sets', async (t) => {
    const { registry, host } = await startPlace(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    const { home } = await sandbox(t);
    const file = join(home, 'config.yaml');
    await writeFile(file, `registries:\n  - prefix: ${host}\n    server:\n      headers: {X-Corp-Pass: crumbs}\n`);
    const { exitCode, stderr } = await ocictl(t, ['-vv', 'digest', `${host}/team/app:1`], {
      env: { OCICTL_CONFIG: file },
    });
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^ {2}> x-corp-pass: …$/im);
    assert.doesNotMatch(stderr, /crumbs/);
  });
});
