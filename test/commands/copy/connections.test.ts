import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { type Account, ada } from '../../support/login-servers.ts';
import { eve, layoutOf, logIn, startIssuer, writeAccess } from '../../support/logins/issuing.ts';
import { type Relay, startRelay } from '../../support/network/relay.ts';

interface Counted {
  readonly host: string;
  readonly relay: Relay;
  readonly proxy: FaultProxy;
}

/** A registry with tokens and the image team/app:1, behind a relay and a proxy that count connections and requests. */
async function startCounted(t: TestContext, access: string, root: string): Promise<Counted> {
  const { host, url } = await startIssuer(t, access, '--root', root);
  assert.equal((await logIn(t, host, ada)).exitCode, 0);
  assert.equal((await ocictl(t, ['copy', '-q', await layoutOf(t), `${host}/team/app:1`])).exitCode, 0);
  const proxy = await startFaultProxy(t, url);
  const relay = await startRelay(t, proxy.host);
  assert.equal((await logIn(t, relay.host, ada)).exitCode, 0);
  return { host: relay.host, relay, proxy };
}

const written = ({ username, password }: Account): string => `${username}:${password}`;

/** Counts the connections, TLS handshakes and token requests of a copy. */
async function during(places: readonly Counted[], copy: () => Promise<unknown>) {
  const look = () =>
    places.map(({ relay, proxy }) => [relay.connections, relay.handshakes, proxy.count(/^\/token/)] as const);
  const before = look();
  await copy();
  const after = look();
  return after.map(([connections, handshakes, tokens], at) => {
    const [c = 0, h = 0, k = 0] = before[at] ?? [];
    return { connections: connections - c, handshakes: handshakes - h, tokens: tokens - k };
  });
}

async function copy(t: TestContext, ...words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await ocictl(t, ['copy', '-q', ...words]);
  assert.equal(exitCode, 0, stderr);
}

describe('a copy', () => {
  it('within a registry tries TLS once for both sides, which are asked at the same time, and asks for few tokens', async (t) => {
    const place = await startCounted(t, await writeAccess(t), 'images');
    const to = async (name: string) => {
      const [counts] = await during([place], () => copy(t, `${place.host}/team/app:1`, `${place.host}/${name}`));
      return counts;
    };
    const both = [await to('team/app:2'), await to('team/other:1')];
    // The second copy has the tokens that the first one asked for, except that for a mount.
    assert.deepEqual(
      both.map((counts) => [counts?.handshakes, counts?.tokens]),
      [
        [1, 2],
        [1, 2],
      ],
    );
  });

  it('with other credentials for each side shows each side its own alone', async (t) => {
    const place = await startCounted(t, await writeAccess(t), 'images');
    const credentials = ['--src-creds', written(eve), '--dest-creds', written(ada)];
    const from = place.proxy.requests.length;
    const [counts] = await during([place], () =>
      copy(t, ...credentials, `${place.host}/team/app:1`, `${place.host}/team/app:2`),
    );
    assert.deepEqual([counts?.handshakes, counts?.tokens], [1, 3]);
    const requests = place.proxy.requests.slice(from).filter(({ headers }) => headers.authorization !== undefined);
    const usersOf = (path: RegExp): readonly string[] => [
      ...new Set(
        requests.filter((one) => path.test(one.path)).map(({ headers }) => userOf(headers.authorization ?? '')),
      ),
    ];
    assert.deepEqual(usersOf(/manifests\/1$/), [eve.username]);
    assert.deepEqual(usersOf(/manifests\/2$/), [ada.username]);
  });

  it('between registries connects to each as often as a pull and a push', async (t) => {
    const access = await writeAccess(t);
    const [one, two] = [await startCounted(t, access, 'one'), await startCounted(t, access, 'two')];
    const counts = await during([one, two], () => copy(t, `${one.host}/team/app:1`, `${two.host}/team/other:1`));
    assert.deepEqual(
      counts.map(({ handshakes, tokens }) => ({ handshakes, tokens })),
      [
        { handshakes: 1, tokens: 1 },
        { handshakes: 1, tokens: 2 },
      ],
    );
  });
});

function userOf(authorization: string): string {
  const [scheme = '', proof = ''] = authorization.split(' ');
  if (scheme === 'Basic') return Buffer.from(proof, 'base64').toString().split(':')[0] ?? '';
  return String((JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as { sub: unknown }).sub);
}
