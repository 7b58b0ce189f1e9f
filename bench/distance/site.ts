/** Registries at a distance: docker-registry over TLS behind relays, with a login that every program has. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ada } from '../../test/support/login-servers.ts';
import { startTokenIssuer, type TokenIssuer } from '../../test/support/logins/token-issuer.ts';
import { makeCertificates, startDockerRegistry } from '../../test/support/programs.ts';
import { type Scope, sandbox, temporaryDirectory } from '../../test/support/sandbox.ts';
import { type Link, type Relay, startRelay, type Traffic } from './relay.ts';

export const auths = ['none', 'basic', 'token'] as const;
export type Auth = (typeof auths)[number];

export interface SiteOptions {
  readonly link: Link;
  /** Default none. */
  readonly auth?: Auth;
  /** Where the relays listen: an address outside of loopback has other rules. Default 127.0.0.1. */
  readonly address?: string;
  /** Default 1. */
  readonly registries?: number;
}

/** A registry as the programs see it, and where it can be filled and emptied. */
interface Spot {
  /** host:port of its relay. */
  readonly host: string;
  /** host:port where the same repositories take everything from everybody, over plain http. */
  readonly behind: string;
  /** The directory that contains its `docker/registry/v2`. */
  readonly root: string;
}

export interface Site {
  readonly spots: readonly Spot[];
  /** What every program needs to reach them: the authority and, in Docker's configuration, the login. */
  readonly env: Readonly<Record<string, string>>;
  /** Processes of the servers. */
  readonly pids: readonly (number | undefined)[];
  /** Of all relays together, since the last reset. */
  traffic(): Traffic;
  /** Requests that arrived since the last reset, at the registries and at the token server. */
  requests(): readonly string[];
  reset(): void;
}

export async function startSite(scope: Scope, options: SiteOptions): Promise<Site> {
  const { link, auth = 'none', address = '127.0.0.1', registries = 1 } = options;
  const certificates = await makeCertificates(scope, { addresses: [address] });
  const { authority: ca, certificate, key } = certificates;
  const tls = { cert: await readFile(certificate), key: await readFile(key) };
  const relays: Relay[] = [];
  const relay = async (name: string, target: string): Promise<string> => {
    const made = await startRelay(scope, { name, target, link, address });
    relays.push(made);
    return made.host;
  };
  const issuer = auth === 'token' ? await startTokenIssuer(scope, { tls }) : undefined;
  const tokens = issuer && { ...issuer, realm: `https://${await relay('tokens', issuer.server.host)}/token` };
  const logs: (() => readonly string[])[] = issuer ? [() => issuer.server.lines] : [];
  const pids: (number | undefined)[] = [];
  const spots: Spot[] = [];
  for (let i = 0; i < registries; i += 1) {
    const root = await temporaryDirectory(scope);
    const behind = await startDockerRegistry(scope, { root });
    const front = await startDockerRegistry(scope, {
      root,
      tls: certificates,
      accessLog: true,
      ...login(auth, tokens),
    });
    pids.push(front.pid);
    logs.push(() => front.requests().map(({ method, path, status }) => `${method} ${path} ${status}`));
    const host = await relay(i === 0 ? 'registry' : `registry${i + 1}`, front.host);
    spots.push({ host, behind: behind.host, root });
  }
  const { env, dockerConfig } = await sandbox(scope);
  if (auth !== 'none')
    await logIn(
      dockerConfig,
      spots.map(({ host }) => host),
    );
  let seen = logs.map(() => 0);
  return {
    spots,
    env: { ...env, SSL_CERT_FILE: ca },
    pids,
    traffic: () => sum(relays.map(({ traffic }) => traffic)),
    requests: () => logs.flatMap((log, i) => log().slice(seen[i])),
    reset() {
      for (const each of relays) each.reset();
      seen = logs.map((log) => log().length);
    },
  };
}

function login(auth: Auth, tokens: TokenIssuer | undefined): Parameters<typeof startDockerRegistry>[1] {
  if (auth === 'basic') return { htpasswd: ada };
  return tokens ? { tokens } : {};
}

/** As `docker login` leaves it, which all programs read. */
async function logIn(dockerConfig: string, hosts: readonly string[]): Promise<void> {
  const auth = Buffer.from(`${ada.username}:${ada.password}`).toString('base64');
  const config = { auths: Object.fromEntries(hosts.map((host) => [host, { auth }])) };
  await writeFile(join(dockerConfig, 'config.json'), JSON.stringify(config));
}

function sum(all: readonly Traffic[]): Traffic {
  const total: Traffic = { connections: 0, sentBytes: 0, receivedBytes: 0 };
  for (const each of all) {
    total.connections += each.connections;
    total.sentBytes += each.sentBytes;
    total.receivedBytes += each.receivedBytes;
  }
  return total;
}
