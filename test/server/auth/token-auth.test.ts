import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { libtrustId } from '../../../src/model/libtrust-id.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { readJwks, readRoots } from '../../../src/server/auth/token-trust.ts';
import { parseChallenges } from '../../../src/wire/challenges.ts';
import { makeCertificates, needs } from '../../support/programs.ts';
import { type Answer, codeOf, makeManifest, putBlob, repo } from '../client.ts';
import {
  forgeToken,
  jwkOf,
  makeSigner,
  makeToken,
  privateKeyOf,
  realm,
  scope,
  seconds,
  service,
  show,
  startTrusting,
} from './tokens.ts';

const trusted = makeSigner();
const stranger = makeSigner();
const keySet = readJwks(JSON.stringify({ keys: [jwkOf(trusted, { kid: 'one', alg: 'ES256' })] }), 'keys');
const kid = { kid: 'one' };

function challengeOf(answer: Answer): unknown {
  return parseChallenges(answer.headers['www-authenticate'])[0]?.parameters;
}

const tags = '/v2/team/app/tags/list';

describe('a server that takes tokens', () => {
  it('challenges a client without a token, and accepts a token for the requested access', async (t) => {
    const server = await startTrusting(t, keySet);
    await putBlob(server.registry, Buffer.from('x'));
    assert.deepEqual(challengeOf(await show(server, undefined)), { realm, service });
    const none = await show(server, undefined, tags);
    assert.deepEqual([none.status, codeOf(none)], [401, 'UNAUTHORIZED']);
    assert.deepEqual(challengeOf(none), { realm, service, scope: 'repository:team/app:pull' });
    const token = await makeToken({ header: kid, key: trusted.privateKey });
    assert.equal((await show(server, token)).status, 200);
    assert.equal((await show(server, token, '/v2/team/app/blobs/uploads/', 'POST')).status, 202);
    assert.equal(server.log.at(-1)?.user, 'ada');
    const nobody = await makeToken({ header: kid, claims: { sub: '', access: undefined }, key: trusted.privateKey });
    assert.equal((await show(server, nobody)).status, 200);
    assert.equal(server.log.at(-1)?.user, undefined);
    assert.equal((await show(server, nobody, tags)).status, 401);
  });

  it('says of a token that is good but not for this that its scope is too small', async (t) => {
    const server = await startTrusting(t, keySet);
    const token = await makeToken({ header: kid, key: trusted.privateKey });
    const digest = `sha256:${'0'.repeat(64)}`;
    for (const [method, path, wanted] of [
      ['GET', '/v2/team/other/tags/list', 'repository:team/other:pull'],
      ['GET', '/v2/team/app/x/tags/list', 'repository:team/app/x:pull'],
      ['DELETE', `/v2/team/app/blobs/${digest}`, 'repository:team/app:delete'],
      ['GET', '/v2/_catalog', 'registry:catalog:*'],
    ] as const) {
      const answer = await show(server, token, path, method);
      assert.equal(answer.status, 401, path);
      assert.deepEqual(challengeOf(answer), { realm, service, scope: wanted, error: 'insufficient_scope' });
      assert.match(answer.body.toString(), /"UNAUTHORIZED","message":"requested access to the resource is denied"/);
      assert.match(String((server.log.at(-1)?.error as Error | undefined)?.cause), /the token of "ada" does not allow/);
    }
    const otherType = [
      { ...scope, type: 'plugin' },
      { ...scope, type: 'registry' },
      { ...scope, type: 'Repository' },
    ];
    const foreign = await makeToken({ header: kid, claims: { access: otherType }, key: trusted.privateKey });
    assert.equal((await show(server, foreign, tags)).status, 401);
    const catalog = { type: 'registry', name: 'catalog', actions: ['*'] };
    const wide = await makeToken({ header: kid, claims: { access: [scope, catalog] }, key: trusted.privateKey });
    assert.equal((await show(server, wide, '/v2/_catalog')).status, 200);
  });

  it('mounts a blob only if the token allows to pull its source', async (t) => {
    const server = await startTrusting(t, keySet);
    const from = parseRepositoryName('team/other');
    const { config } = JSON.parse(Buffer.from((await makeManifest(server.registry, {}, from)).bytes).toString());
    const mount = `/v2/${repo}/blobs/uploads/?mount=${config.digest}&from=${from}`;
    const narrow = await makeToken({ header: kid, key: trusted.privateKey });
    const more = await show(server, narrow, mount, 'POST');
    assert.equal(more.status, 401);
    const both = `repository:${repo}:pull,push repository:${from}:pull`;
    assert.deepEqual(challengeOf(more), { realm, service, scope: both, error: 'insufficient_scope' });
    assert.equal((await show(server, narrow, mount.replace(`&from=${from}`, ''), 'POST')).status, 202);
    const access = [scope, { type: 'repository', name: from, actions: ['pull'] }];
    const wide = await makeToken({ header: kid, claims: { access }, key: trusted.privateKey });
    assert.equal((await show(server, wide, mount, 'POST')).status, 201);
  });

  it('refuses a token that was changed, forged, or made for another service', async (t) => {
    const server = await startTrusting(t, keySet);
    const key = trusted.privateKey;
    const good = await makeToken({ header: kid, key });
    const [head = '', body = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const pem = trusted.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const der = trusted.publicKey.export({ type: 'spki', format: 'der' });
    const more = { ...claims, access: [{ ...scope, actions: ['pull', 'push', 'delete'] }] };
    const jwk = jwkOf(stranger);
    const bad: Readonly<Record<string, string>> = {
      'no algorithm': forgeToken({ alg: 'none', ...kid }, claims),
      'no algorithm, in capitals': forgeToken({ alg: 'NONE', ...kid }, claims, signature),
      'no signature': `${head}.${body}.`,
      'two parts': `${head}.${body}`,
      'other claims': forgeToken({ alg: 'ES256', ...kid }, more, signature),
      'HS256 with the public key in PEM': await makeToken({ header: { alg: 'HS256', ...kid }, key: Buffer.from(pem) }),
      'HS256 with the public key in DER': await makeToken({ header: { alg: 'HS256', ...kid }, key: der }),
      'a stranger under our name': await makeToken({ header: kid, key: stranger.privateKey }),
      'a name nobody has': await makeToken({ header: { kid: 'two' }, key }),
      'a name that every object has': await makeToken({ header: { kid: '__proto__' }, key }),
      'no name': await makeToken({ key }),
      'its own key': await makeToken({ header: { jwk }, key: stranger.privateKey }),
      'its own key under our name': await makeToken({
        header: { jwk: { ...jwk, ...kid }, ...kid },
        key: stranger.privateKey,
      }),
      'our key as its own, and a stranger': await makeToken({
        header: { jwk: jwkOf(trusted) },
        key: stranger.privateKey,
      }),
      'an address of keys': await makeToken({ header: { jku: 'https://evil.test/keys' }, key: stranger.privateKey }),
      'a name beside an empty chain': await makeToken({ header: { ...kid, x5c: [] }, key }),
      'an extension that must be understood': forgeToken(
        { alg: 'ES256', ...kid, crit: ['x'], x: 1 },
        claims,
        signature,
      ),
      'another issuer': await makeToken({ header: kid, claims: { iss: 'auth.test.evil' }, key }),
      'no issuer': await makeToken({ header: kid, claims: { iss: undefined }, key }),
      'another audience': await makeToken({ header: kid, claims: { aud: 'other.test' }, key }),
      'other audiences': await makeToken({ header: kid, claims: { aud: ['other.test', 'third.test'] }, key }),
      'no audience': await makeToken({ header: kid, claims: { aud: undefined }, key }),
      expired: await makeToken({ header: kid, claims: { exp: seconds(-120) }, key }),
      'without an end': await makeToken({ header: kid, claims: { exp: undefined }, key }),
      'an end that is no number': await makeToken({ header: kid, claims: { exp: '9999999999' }, key }),
      'not yet valid': await makeToken({ header: kid, claims: { nbf: seconds(120) }, key }),
      'no token': 'x',
      'no JSON': 'eyJ.eyJ.eyJ',
      oversize: await makeToken({ header: kid, claims: { padding: 'x'.repeat(16 * 1024) }, key }),
    };
    const wrongShapes = [
      'x',
      {},
      [null],
      ['x'],
      [[]],
      [{}],
      [{ ...scope, actions: 'pull' }],
      [{ ...scope, actions: [1] }],
    ];
    for (const [at, access] of [...wrongShapes, [scope, { ...scope, name: 1 }]].entries()) {
      Object.assign(bad, { [`access of shape ${at}`]: await makeToken({ header: kid, claims: { access }, key }) });
    }
    for (const [what, token] of Object.entries(bad)) {
      const answer = await show(server, token, tags);
      assert.equal(answer.status, 401, what);
      const scope = 'repository:team/app:pull';
      assert.deepEqual(challengeOf(answer), { realm, service, scope, error: 'invalid_token' }, what);
      assert.doesNotMatch(answer.body.toString(), /token is/, what);
    }
    assert.notEqual((await show(server, good, tags)).status, 401);
  });

  it('bears clocks that differ a little, several audiences, and any header that means the key', async (t) => {
    const server = await startTrusting(t, keySet);
    const key = trusted.privateKey;
    const good = [
      await makeToken({ header: kid, claims: { exp: seconds(-20) }, key }),
      await makeToken({ header: kid, claims: { nbf: seconds(20) }, key }),
      await makeToken({ header: kid, claims: { nbf: undefined, access: null }, key }),
      await makeToken({ header: kid, claims: { aud: ['other.test', service] }, key }),
      await makeToken({ header: { jwk: jwkOf(trusted) }, key }),
    ];
    for (const [at, token] of good.entries()) assert.equal((await show(server, token)).status, 200, String(at));
  });

  it('answers a header past its limits, and goes on', async (t) => {
    const server = await startTrusting(t, keySet);
    assert.equal((await show(server, 'x'.repeat(40_000))).status, 431);
    assert.equal((await show(server, undefined)).status, 401);
  });

  it('takes the key of a chain that leads to a root, and no other', async (t) => {
    if (!needs(t, 'openssl')) return;
    const [ours, theirs] = [await makeCertificates(t, { rsa: true }), await makeCertificates(t, { rsa: true })];
    const expired = await makeCertificates(t, { days: -1, rsa: true });
    const [root, leaf, otherRoot, otherLeaf] = await Promise.all(
      [ours.authority, ours.certificate, theirs.authority, theirs.certificate].map((file) => readFile(file, 'utf8')),
    );
    const base64 = (pem = ''): string => pem.replace(/-----[^-]+-----|\s/g, '');
    const key = privateKeyOf(await readFile(ours.key, 'utf8'));
    const theirKey = privateKeyOf(await readFile(theirs.key, 'utf8'));
    const server = await startTrusting(t, readRoots(root ?? '', 'root.pem'));
    const status = async (x5c: unknown, signedWith = key, more = {}): Promise<number> => {
      const token = await makeToken({ header: { alg: 'RS256', x5c, ...more }, key: signedWith });
      return (await show(server, token)).status;
    };
    assert.equal(await status([base64(leaf)]), 200);
    assert.equal(await status([base64(leaf), base64(root)]), 200);
    assert.equal(await status([base64(leaf), base64(otherRoot)]), 200);
    const late = await readFile(expired.certificate, 'utf8');
    const late0 = await startTrusting(t, readRoots(await readFile(expired.authority, 'utf8'), 'root.pem'));
    const lateToken = await makeToken({
      header: { alg: 'RS256', x5c: [base64(late)] },
      key: privateKeyOf(await readFile(expired.key, 'utf8')),
    });
    assert.equal((await show(late0, lateToken)).status, 401, 'an expired certificate');
    assert.equal(await status([base64(otherLeaf), base64(otherRoot)], theirKey), 401, 'an unknown root');
    assert.equal(await status([base64(otherLeaf), base64(root)], theirKey), 401, 'a root that did not issue it');
    assert.equal(await status([base64(leaf)], theirKey), 401, 'the key of another');
    assert.equal(await status([base64(otherLeaf), base64(leaf), base64(root)], theirKey), 401, 'a leaf as authority');
    const named = { kid: libtrustId(createPublicKey(root ?? '')) };
    assert.equal(await status([base64(otherLeaf)], theirKey, named), 401, 'a good name beside a bad chain');
    for (const x5c of [
      '',
      [],
      [''],
      [1],
      ['AAAA'],
      base64(leaf),
      Array(20).fill(base64(leaf)),
      [`${'A'.repeat(20_000)}`],
    ]) {
      assert.equal(await status(x5c), 401);
    }
  });
});
