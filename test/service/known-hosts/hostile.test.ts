import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Issued, issue } from '../../certs/issue.ts';
import { type Answer, type FakeServer, json, startFakeServer } from '../../support/fake-server.ts';
import { inOwnNetwork, outside, startNames } from '../../support/network/own-network.ts';
import { during, issues, type Outside, type RunOptions, run, startOutside, trust } from './runs.ts';

/** Asks for whatever there is, by all ways. */
function greedy(challenge: string): Answer {
  return ({ path }, response) =>
    path.endsWith('/token')
      ? json(response, 200, { token: 'taken', expires_in: 300 })
      : json(response, 401, {}, { 'www-authenticate': challenge });
}

inOwnNetwork(import.meta.url, () => {
  describe('a host that is another one in the second run', () => {
    const challenges = {
      'a password': () => 'Basic realm="r"',
      'a token': (url: string) => `Bearer realm="${url}token",service="s"`,
    };

    /** What the servers get in a run that remembers, and in one that does not. */
    async function compared(t: TestContext, host: string, servers: readonly FakeServer[], options: RunOptions = {}) {
      const remembering = await during(servers, () => run(t, host, options));
      const forgetful = await during(servers, () => run(t, host, { ...options, fresh: true }));
      return { remembering, forgetful };
    }

    /** In place of the registry, at its address. */
    async function impostor(t: TestContext, { registry }: Outside, answer: Answer, tls?: Issued): Promise<FakeServer> {
      registry.close();
      const port = Number(new URL(registry.url).port);
      return startFakeServer(t, answer, { address: outside, port, ...(tls && { tls }) });
    }

    for (const [what, challenge] of Object.entries(challenges)) {
      it(`gets nothing with a certificate of another authority, where it had asked for ${what}`, async (t) => {
        const place = await startOutside(t, challenge);
        assert.equal(await run(t, place.registry.host), 'ok');
        const other = issue('server', { by: issue('Other Authority'), addresses: [outside] });
        const server = await impostor(t, place, greedy('Basic realm="r"'), other);
        const { remembering, forgetful } = await compared(t, server.host, [server]);
        assert.deepEqual([remembering, forgetful], [['TLS'], ['TLS']]);
      });

      it(`gets nothing in plain http, where it had asked for ${what} over TLS`, async (t) => {
        const place = await startOutside(t, challenge);
        assert.equal(await run(t, place.registry.host), 'ok');
        const server = await impostor(t, place, greedy('Basic realm="r"'));
        const { remembering, forgetful } = await compared(t, place.registry.host, [server]);
        assert.deepEqual([remembering, forgetful], [['TLS'], ['TLS']]);
      });

      it(`gets nothing unasked where its certificate need not be valid now, and had asked for ${what}`, async (t) => {
        const place = await startOutside(t, challenge);
        const { host } = place.registry;
        assert.equal(await run(t, host), 'ok');
        const daemon = { 'insecure-registries': [host] };
        for (const tls of [issue('server', { by: issue('Other Authority'), addresses: [outside] }), undefined]) {
          const server = await impostor(t, place, (_, response) => json(response, 200, {}), tls);
          const { remembering, forgetful } = await compared(t, host, [server], { daemon });
          assert.deepEqual(remembering, forgetful);
          assert.ok(
            remembering.every((line) => !/basic|t\d/.test(line)),
            String(remembering),
          );
          server.close();
        }
      });

      it(`passes on nothing to where it redirects, where it had asked for ${what}`, async (t) => {
        const place = await startOutside(t, challenge);
        const tls = issue('server', { by: place.authority, addresses: [outside] });
        assert.equal(await run(t, place.registry.host), 'ok');
        const elsewhere = await startFakeServer(t, greedy('Basic realm="r"'), { address: outside, tls });
        place.behaviour.answer = (_, response) =>
          response.writeHead(307, { location: new URL('/v2/', elsewhere.url).href }).end();
        const { remembering, forgetful } = await compared(t, place.registry.host, [elsewhere]);
        for (const lines of [remembering, forgetful]) assert.doesNotMatch(String(lines), /basic|t\d|TOKEN/);
        assert.ok(elsewhere.requests.length > 0);
      });
    }

    it('gets for a new realm what it would have got, and nothing for one that may not be used', async (t) => {
      const place = await startOutside(t, challenges['a token']);
      const { registry, behaviour, authority } = place;
      assert.equal(await run(t, registry.host), 'ok');
      const tls = issue('server', { by: authority, addresses: [outside, '127.0.0.1'] });
      const elsewhere = await startFakeServer(t, issues, { address: outside, tls });
      const inside = await startFakeServer(t, issues, { address: '127.0.0.1', tls });
      const plain = await startFakeServer(t, issues, { address: outside });
      behaviour.allowed = () => false;
      for (const [server, lines] of [
        [elsewhere, ['TOKEN basic', 'DENIED']],
        [inside, ['PROTOCOL']],
        [plain, ['PROTOCOL']],
      ] as const) {
        behaviour.challenge = challenges['a token'](server.url);
        const { remembering, forgetful } = await compared(t, registry.host, [server]);
        assert.deepEqual(forgetful, lines);
        // What was remembered is corrected by the first run: its token is that of the new realm.
        assert.deepEqual(remembering, lines);
      }
    });

    it('leads nowhere inside while it is not connected to, though its name resolves to an address inside now', async (t) => {
      let address: string = outside;
      await startNames(t, () => [address]);
      const place = await startOutside(t, challenges['a token']);
      const tls = issue('server', { by: place.authority, dnsNames: ['tokens.example', 'registry.example'] });
      const tokens = await startFakeServer(t, issues, { address: outside, tls });
      const port = Number(new URL(tokens.url).port);
      const challenge = challenges['a token'](`https://tokens.example:${port}/`);
      const registry = await startFakeServer(
        t,
        ({ headers }, response) =>
          headers.authorization === undefined
            ? json(response, 401, {}, { 'www-authenticate': challenge })
            : json(response, 200, { schemaVersion: 2, manifests: [] }),
        { address: outside, tls },
      );
      const host = `registry.example:${new URL(registry.url).port}`;
      await trust(t, { host }, place.authority);
      assert.equal(await run(t, host), 'ok');
      const inside = await startFakeServer(t, issues, { address: '127.0.0.1', port, tls });
      address = '127.0.0.1';
      await run(t, host);
      assert.equal(inside.connections, 0);
    });

    it('gets from its token server nothing for another host', async (t) => {
      const place = await startOutside(t, challenges['a token']);
      const other = await startOutside(t, () => place.behaviour.challenge ?? '', place.authority);
      assert.equal(await run(t, place.registry.host), 'ok');
      const asked = () =>
        during([place.tokens, other.registry], () =>
          run(t, other.registry.host, { credentials: { get: async () => undefined } }),
        );
      assert.deepEqual(await asked(), ['TOKEN', 'GET', 'GET t1', 'ok']);
      assert.deepEqual(await asked(), ['TOKEN', 'GET t2', 'ok']);
    });
  });
});
