import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { json } from '../../support/fake-server.ts';
import { basic } from '../../support/login-servers.ts';
import { inOwnNetwork } from '../../support/network/own-network.ts';
import { sandbox } from '../../support/sandbox.ts';
import { allowsTokens, during, type Outside, run, startOutside } from './runs.ts';

inOwnNetwork(import.meta.url, () => {
  describe('a challenge that is not right any more', () => {
    /** A host that is known, and what a run on it and one that knows nothing then make. */
    async function known(t: TestContext, kind: 'Basic' | 'Bearer'): Promise<Outside> {
      const place = await startOutside(t, (url) =>
        kind === 'Basic' ? 'Basic realm="r"' : `Bearer realm="${url}token",service="s"`,
      );
      assert.equal(await run(t, place.registry.host), 'ok');
      return place;
    }
    const made = ({ registry, tokens }: Outside, work: () => Promise<unknown>) => during([tokens, registry], work);

    it('costs one request where the registry asks for a token now, and is corrected', async (t) => {
      const place = await known(t, 'Basic');
      const { behaviour, registry, tokens } = place;
      behaviour.challenge = `Bearer realm="${tokens.url}token",service="s"`;
      behaviour.allowed = allowsTokens;
      const again = () => made(place, () => run(t, registry.host));
      assert.deepEqual(await again(), ['TOKEN basic', 'GET basic', 'GET', 'GET t0', 'ok']);
      assert.deepEqual(await again(), ['TOKEN basic', 'GET t1', 'ok']);
    });

    it('costs one request where the registry asks for a password now, and is corrected', async (t) => {
      const place = await known(t, 'Bearer');
      const { behaviour, registry } = place;
      behaviour.challenge = 'Basic realm="r"';
      behaviour.allowed = (authorization) => authorization?.startsWith('Basic') ?? false;
      const again = () => made(place, () => run(t, registry.host));
      assert.deepEqual(await again(), ['TOKEN basic', 'GET t1', 'GET', 'GET basic', 'ok']);
      assert.deepEqual(await again(), ['GET basic', 'ok']);
    });

    it('costs one request where another service is named, and is corrected', async (t) => {
      const place = await known(t, 'Bearer');
      const { behaviour, registry, tokens } = place;
      behaviour.challenge = `Bearer realm="${tokens.url}token",service="other"`;
      behaviour.allowed = (authorization) => {
        const nth = Number(/^Bearer t(\d+)$/.exec(authorization ?? '')?.[1]);
        return tokens.requests[nth]?.query.get('service') === 'other';
      };
      const again = () => made(place, () => run(t, registry.host));
      assert.deepEqual(await again(), ['TOKEN basic', 'TOKEN basic', 'GET t1', 'GET', 'GET t2', 'ok']);
      assert.deepEqual(await again(), ['TOKEN basic', 'GET t3', 'ok']);
    });

    it('costs what it takes to find out that the token server is gone', async (t) => {
      const place = await known(t, 'Bearer');
      const { behaviour, registry, tokens } = place;
      tokens.close();
      behaviour.challenge = 'Basic realm="r"';
      behaviour.allowed = (authorization) => authorization?.startsWith('Basic') ?? false;
      assert.deepEqual(await made(place, () => run(t, registry.host)), ['GET', 'GET basic', 'ok']);
      assert.deepEqual(await made(place, () => run(t, registry.host)), ['GET basic', 'ok']);
    });

    for (const status of [400, 401, 403]) {
      it(`does not hide what anybody may see, where an outdated login is answered with ${status}`, async (t) => {
        const place = await known(t, 'Basic');
        const { behaviour, registry } = place;
        const good = basic({ username: 'ada', password: 'new' });
        behaviour.status = status;
        behaviour.allowed = (authorization) => authorization === undefined || authorization === good;
        const again = () => made(place, () => run(t, registry.host));
        assert.deepEqual(await again(), ['GET basic', 'GET', 'ok']);
        assert.deepEqual(await again(), ['GET', 'ok']);
      });
    }

    for (const status of [400, 403]) {
      it(`is corrected where the answer to an outdated login is ${status}, and another one is asked for`, async (t) => {
        const place = await known(t, 'Basic');
        const { behaviour, registry, tokens } = place;
        behaviour.challenge = `Bearer realm="${tokens.url}token",service="s"`;
        behaviour.allowed = allowsTokens;
        behaviour.status = (authorization) => (authorization === undefined ? 401 : status);
        const again = () => made(place, () => run(t, registry.host));
        assert.deepEqual(await again(), ['TOKEN basic', 'GET basic', 'GET', 'GET t0', 'ok']);
        assert.deepEqual(await again(), ['TOKEN basic', 'GET t1', 'ok']);
      });
    }

    it('changes no error: an outdated password is refused, and is shown once', async (t) => {
      const place = await known(t, 'Basic');
      const { behaviour, registry } = place;
      behaviour.allowed = () => false;
      const outdated = (fresh: boolean) => made(place, () => run(t, registry.host, { fresh }));
      assert.deepEqual(await outdated(false), ['GET basic', 'GET', 'DENIED']);
      assert.deepEqual(await outdated(true), ['GET', 'GET basic', 'DENIED']);
    });

    it('changes no error: a token server that refuses a password is not asked with it twice', async (t) => {
      const place = await known(t, 'Bearer');
      const outdated = (fresh: boolean) => made(place, () => run(t, place.registry.host, { fresh, password: 'wrong' }));
      assert.deepEqual(await outdated(false), ['TOKEN basic', 'GET', 'UNAUTHORIZED']);
      assert.deepEqual(await outdated(true), ['TOKEN basic', 'GET', 'UNAUTHORIZED']);
    });

    it('changes no error: what a login may not do is denied', async (t) => {
      const place = await known(t, 'Basic');
      const { behaviour, registry } = place;
      behaviour.answer = ({ headers }, response) =>
        headers.authorization === undefined
          ? json(response, 401, {}, { 'www-authenticate': 'Basic realm="r"' })
          : json(response, 403, { errors: [{ code: 'DENIED' }] });
      assert.deepEqual((await made(place, () => run(t, registry.host))).slice(-1), ['DENIED']);
      assert.deepEqual((await made(place, () => run(t, registry.host, { fresh: true }))).slice(-1), ['DENIED']);
    });
  });

  describe('a kept token', () => {
    async function kept(t: TestContext) {
      const place = await startOutside(t, (url) => `Bearer realm="${url}token",service="s"`);
      const tokenDirectory = join((await sandbox(t)).home, 'run');
      const again = () => during([place.tokens, place.registry], () => run(t, place.registry.host, { tokenDirectory }));
      assert.deepEqual((await again()).slice(-2), ['GET t0', 'ok']);
      return { ...place, tokenDirectory, again };
    }

    for (const status of [401, 403]) {
      it(`is forgotten when the registry answers ${status}, and asked for again once`, async (t) => {
        const { behaviour, again } = await kept(t);
        const { challenge = '' } = behaviour;
        behaviour.answer = ({ headers }, response) =>
          headers.authorization === 'Bearer t1'
            ? json(response, 404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] })
            : json(response, status, {}, { 'www-authenticate': challenge });
        assert.deepEqual(await again(), ['TOKEN basic', 'GET t0', 'GET t1', 'MANIFEST_UNKNOWN']);
        assert.deepEqual(await again(), ['GET t1', 'MANIFEST_UNKNOWN']);
      });
    }

    it('that is refused like every other costs one more token', async (t) => {
      const { behaviour, again } = await kept(t);
      behaviour.allowed = () => false;
      assert.deepEqual(await again(), ['TOKEN basic', 'GET t0', 'GET t1', 'GET', 'DENIED']);
    });

    it('is not used for another login, or for nobody', async (t) => {
      const { registry, tokens, tokenDirectory } = await kept(t);
      const as = (more: object) => during([tokens, registry], () => run(t, registry.host, { tokenDirectory, ...more }));
      assert.deepEqual(await as({ password: 'wrong' }), ['TOKEN basic', 'GET', 'UNAUTHORIZED']);
      assert.deepEqual(await as({ identity: 'anonymous' }), ['TOKEN', 'GET t2', 'ok']);
    });

    it('is only in memory where the directory is open to others', async (t) => {
      const { again, tokenDirectory } = await kept(t);
      await chmod(tokenDirectory, 0o750);
      assert.deepEqual(await again(), ['TOKEN basic', 'GET t1', 'ok']);
      assert.deepEqual(await again(), ['TOKEN basic', 'GET t2', 'ok']);
    });
  });

  describe('a record that somebody has changed', () => {
    it('is checked like what a registry sends, and sends no login elsewhere', async (t) => {
      const { registry, tokens } = await startOutside(t, (url) => `Bearer realm="${url}token",service="s"`);
      await run(t, registry.host);
      const { home } = await sandbox(t);
      const file = join(home, 'cache', 'hosts', `https_${registry.host.replace(':', '_')}.json`);
      const good = await readFile(file, 'utf8');
      const facts = (text: string) => (JSON.parse(text) as { facts: unknown }).facts;
      const realms = [
        `${tokens.url.replace('https:', 'http:')}token`,
        `${tokens.url.replace('//', '//user:pass@')}token`,
        'file:///etc/passwd',
        'https://127.0.0.1:1/token',
      ];
      for (const realm of realms) {
        await writeFile(file, good.replace(`${tokens.url}token`, realm));
        const made = await during([tokens, registry], () => run(t, registry.host));
        assert.deepEqual(
          made.map((line) => line.replace(/\d+$/, '')),
          ['TOKEN basic', 'GET', 'GET t', 'ok'],
          realm,
        );
        assert.deepEqual(facts(await readFile(file, 'utf8')), facts(good));
      }
    });
  });
});
