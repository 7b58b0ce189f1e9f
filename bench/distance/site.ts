/** Registries at a distance: docker-registry over TLS behind relays, with a login that every program has. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Issued, issue } from '../../test/certs/issue.ts';
import { ada } from '../../test/support/login-servers.ts';
import { startTokenIssuer } from '../../test/support/logins/token-issuer.ts';
import { startSquid } from '../../test/support/programs/squid.ts';
import type { Certificates } from '../../test/support/programs.ts';
import { type Scope, sandbox, temporaryDirectory } from '../../test/support/sandbox.ts';
import { type Link, type Relay, startRelay, type Traffic } from './relay.ts';
import { type FarEnd, type Front, startFarEnd } from './spots.ts';

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
  /** What the registries are. Default docker-registry. */
  readonly front?: Front;
  /** Puts an HTTP proxy near the client, which all connections pass. */
  readonly proxy?: boolean;
}

/** A registry as the programs see it: `host` is that of its relay. */
export type Spot = Pick<FarEnd, 'host' | 'behind' | 'root' | 'registry'>;

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
  /** Takes the login away. */
  logOut(): Promise<void>;
}

export async function startSite(scope: Scope, options: SiteOptions): Promise<Site> {
  const { link, auth = 'none', address = '127.0.0.1', registries = 1, front = 'docker-registry' } = options;
  const authority = issue('CN=Bench Authority');
  const tls = issue('CN=registry', { by: authority, addresses: ['127.0.0.1', address] });
  const certificates = await filesOf(scope, authority, tls);
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
    const end = await startFarEnd(scope, {
      front,
      certificates,
      auth: tokens ?? (auth === 'basic' ? auth : 'none'),
      address,
    });
    pids.push(...end.pids);
    logs.push(end.requests);
    spots.push({ ...end, host: await relay(i === 0 ? 'registry' : `registry${i + 1}`, end.host) });
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
    env: { ...env, SSL_CERT_FILE: certificates.authority, ...(options.proxy && (await proxyEnv(scope, relays))) },
    pids,
    traffic: () => sum(relays.map(({ traffic }) => traffic)),
    requests: () => logs.flatMap((log, i) => log().slice(seen[i])),
    reset() {
      for (const each of relays) each.reset();
      seen = logs.map((log) => log().length);
    },
    logOut: () => writeFile(join(dockerConfig, 'config.json'), '{}'),
  };
}

/** As servers and programs want them, in files. */
async function filesOf(scope: Scope, authority: Issued, server: Issued): Promise<Certificates> {
  const directory = await temporaryDirectory(scope);
  const write = async (name: string, text: string): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, text);
    return file;
  };
  return {
    authority: await write('ca.crt', authority.cert),
    certificate: await write('server.crt', server.cert),
    key: await write('server.key', server.key),
  };
}

/** As `docker login` leaves it, which all programs read. */
async function logIn(dockerConfig: string, hosts: readonly string[]): Promise<void> {
  const auth = Buffer.from(`${ada.username}:${ada.password}`).toString('base64');
  const config = { auths: Object.fromEntries(hosts.map((host) => [host, { auth }])) };
  await writeFile(join(dockerConfig, 'config.json'), JSON.stringify(config));
}

/** A proxy opens tunnels to the relays: its own connections have the distance. */
async function proxyEnv(scope: Scope, relays: readonly Relay[]): Promise<Readonly<Record<string, string>>> {
  const tunnelPorts = relays.map(({ host }) => new URL(`http://${host}`).port);
  const { url } = await startSquid(scope, { tunnelPorts });
  return { HTTPS_PROXY: url, https_proxy: url };
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
