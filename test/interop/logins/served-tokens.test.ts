import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseChallenges } from '../../../src/wire/challenges.ts';
import { issuer, jwkOf, makeSigner, makeToken, service } from '../../server/auth/tokens.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { writeAccess } from '../../support/logins/issuing.ts';
import { sandbox } from '../../support/sandbox.ts';

const realm = 'https://auth.test/token';

describe('the address that clients are sent to', () => {
  it('is the name by which they came, with TLS where a trusted proxy says so, unless the access file names one', async (t) => {
    const file = await writeAccess(t);
    const stranger = await spawnServe(t, ['--memory', '--issue-tokens', file]);
    const { host, url } = await spawnServe(t, ['--memory', '--issue-tokens', file, '--trust-proxy', '127.0.0.0/8']);
    const port = host.split(':')[1];
    const realmOf = async (headers: Readonly<Record<string, string>>, at = url): Promise<string | undefined> => {
      const asked = get(`${at}/v2/`, { headers });
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      response.resume();
      return parseChallenges(response.headers['www-authenticate'])[0]?.parameters['realm'];
    };
    assert.equal(await realmOf({}), `${url}/token`);
    assert.equal(await realmOf({ host: `registry.localhost:${port}` }), `http://registry.localhost:${port}/token`);
    assert.equal(await realmOf({ host: 'localhost', 'x-forwarded-proto': 'https' }), 'https://localhost/token');
    const named = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'registry.test' };
    assert.equal(await realmOf(named), 'https://registry.test/token');
    assert.equal(await realmOf({ forwarded: 'proto=https;host=registry.test' }), 'https://registry.test/token');
    assert.equal(await realmOf(named, stranger.url), `${stranger.url}/token`);
    assert.equal(await realmOf({ 'x-forwarded-proto': 'javascript' }), `${url}/token`);
    assert.equal(await realmOf({ host: 'evil.test' }), undefined);
    await writeAccess(t, { realm: 'https://tokens.example.com/token' });
    while ((await realmOf({})) !== 'https://tokens.example.com/token') {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});

describe('ocictl serve --auth token=REALM,…', () => {
  it('takes the tokens of another, and reads the keys again when they change', async (t) => {
    const { home } = await sandbox(t);
    const [first, second] = [makeSigner(), makeSigner()];
    const write = (keys: unknown): Promise<void> => writeFile(join(home, 'keys.json'), JSON.stringify({ keys }));
    await write([jwkOf(first, { kid: 'one' })]);
    const word = `token=${realm},service=${service},issuer=${issuer},jwks=keys.json`;
    const served = await spawnServe(t, ['--memory', '--auth', word]);
    const status = async (token: string): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${served.url}/v2/`, { headers })).status;
    };
    const challenge = (await fetch(`${served.url}/v2/`)).headers.get('www-authenticate');
    assert.equal(challenge, `Bearer realm="${realm}",service="${service}"`);
    const [old, fresh] = [
      await makeToken({ header: { kid: 'one' }, key: first.privateKey }),
      await makeToken({ header: { kid: 'two' }, key: second.privateKey }),
    ];
    assert.deepEqual([await status(old), await status(fresh)], [200, 401]);
    await write([]);
    const nudge = setInterval(() => void status(old), 100);
    await served.waitFor(/keys\.json: it has no key for signatures; the earlier keys stay in effect/);
    clearInterval(nudge);
    assert.equal(await status(old), 200);
    await write([jwkOf(second, { kid: 'two' })]);
    while ((await status(fresh)) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await status(old), 401);
    assert.ok(!served.output().stderr.includes(old));
  });

  it('does not start with words that cannot be meant: status 2', async (t) => {
    const { home } = await sandbox(t);
    await writeFile(join(home, 'empty.pem'), '');
    const rest = 'service=s,issuer=i,cert=empty.pem';
    const said: readonly (readonly [string, RegExp])[] = [
      ['token=', /invalid --auth "token="/],
      [`token=http://auth.example.com/token,${rest}`, /clear text/],
      [`token=https://ada:secret@auth.example.com/,${rest}`, /has a user name/],
      [`token=auth.example.com,${rest}`, /is not the address of a token server/],
      [`token=${realm}`, /service is missing/],
      [`token=${realm},service=s`, /issuer is missing/],
      [`token=${realm},service=s,issuer=i`, /names no keys/],
      [`token=${realm},${rest},service=x`, /"service=x" is not allowed here/],
      [`token=${realm},${rest},keys=x`, /"keys=x" is not allowed here/],
      [`token=${realm},${rest}`, /empty\.pem has no certificate/],
      [
        `token=http://127.0.0.1:5001/token,service=s,issuer=i,jwks=absent`,
        /cannot read the file of trusted keys .*absent: ENOENT/,
      ],
    ];
    for (const [word, pattern] of said) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--memory', '--addr', '127.0.0.1:0', '--auth', word]);
      assert.equal(exitCode, 2, word);
      assert.match(stderr, pattern);
      assert.doesNotMatch(stderr, /secret/);
    }
  });
});
