/** Registries that can stand at the far end: what speaks TLS to the client, and what is behind it. */
import { readFile } from 'node:fs/promises';
import { hashSync } from 'bcryptjs';
import type { Registry } from '../../src/registry/registry.ts';
import { createBasicAuth } from '../../src/server/auth/basic-auth.ts';
import { createTokenAuth } from '../../src/server/auth/token-auth.ts';
import { readRoots } from '../../src/server/auth/token-trust.ts';
import { ada } from '../../test/support/login-servers.ts';
import type { TokenIssuer } from '../../test/support/logins/token-issuer.ts';
import { memoryRegistry } from '../../test/support/memory.ts';
import { type NginxOptions, startNginx } from '../../test/support/programs/nginx.ts';
import { type Certificates, type DockerRegistry, startDockerRegistry } from '../../test/support/programs.ts';
import { startServe } from '../../test/support/registries.ts';
import { type Scope, temporaryDirectory } from '../../test/support/sandbox.ts';

/**
 * docker-registry with all that it speaks; behind an nginx that speaks HTTP/2 too, or HTTP/1.1 only; ocictl's server; and that
 * behind an nginx that gives tags in pages of 500, whatever it is asked for.
 */
export type Front = 'docker-registry' | 'http1' | 'nginx' | 'ocictl' | 'paging';

export interface FarEnd {
  /** host:port, over TLS. */
  readonly host: string;
  /** host:port where the same repositories take everything from everybody, over plain http. */
  readonly behind: string;
  /** The directory that contains its `docker/registry/v2`, if it has one. */
  readonly root?: string;
  /** The same without a server, if it is in this process. */
  readonly registry?: Registry;
  readonly pids: readonly (number | undefined)[];
  /** `GET /v2/… 200` */
  requests(): readonly string[];
}

export interface FarEndOptions {
  readonly front: Front;
  readonly certificates: Certificates;
  readonly auth: 'none' | 'basic' | TokenIssuer;
  /** Of the relay before it. */
  readonly address: string;
}

export function startFarEnd(scope: Scope, options: FarEndOptions): Promise<FarEnd> {
  const { front } = options;
  return front === 'ocictl' || front === 'paging' ? startOurs(scope, options) : startDistribution(scope, options);
}

async function startDistribution(scope: Scope, { front, certificates, auth }: FarEndOptions): Promise<FarEnd> {
  const root = await temporaryDirectory(scope);
  const behind = await startDockerRegistry(scope, { root });
  const nginx = front === 'nginx' || front === 'http1';
  const registry = await startDockerRegistry(scope, {
    ...{ root, accessLog: true, ...(!nginx && { tls: certificates }) },
    ...(auth === 'basic' && { htpasswd: ada }),
    ...(typeof auth === 'object' && { tokens: auth }),
  });
  const before = nginx ? await startProxy(scope, registry.url, certificates, { http2: front === 'nginx' }) : undefined;
  return {
    ...{ host: before?.host ?? registry.host, behind: behind.host, root },
    pids: [registry.pid, before?.pid],
    requests: () => linesOf(registry),
  };
}

function linesOf(registry: DockerRegistry): string[] {
  return registry.requests().map(({ method, path, status }) => `${method} ${path} ${status}`);
}

/** Asks for the page itself; what is passed on is not encoded again. */
const paging = ['rewrite ^(.*/tags/list)$ $1?n=500&last=$arg_last? break'];

function startProxy(
  scope: Scope,
  before: string,
  certificates: Certificates,
  { http2 = true, server = [] }: Pick<NginxOptions, 'http2' | 'server'> = {},
): ReturnType<typeof startNginx> {
  // As registries have it: what comes in passes on at once.
  const location = ['proxy_buffering off', 'proxy_request_buffering off', 'proxy_http_version 1.1'];
  return startNginx(scope, {
    ...{ before, certificates, open: true, http2, server, location },
  });
}

async function startOurs(scope: Scope, { front, certificates, auth, address }: FarEndOptions): Promise<FarEnd> {
  const registry = memoryRegistry();
  const behind = await startServe(scope, { registry });
  const lines: string[] = [];
  const log = ({ method, path, status }: { method: string; path: string; status: number }): void =>
    void lines.push(`${method} ${path} ${status}`);
  const options = { registry, log, authorize: authorizeBy(auth), allowedHosts: [address] };
  const end = { behind: behind.host, registry, requests: () => lines };
  if (front === 'paging') {
    const { url } = await startServe(scope, options);
    const nginx = await startProxy(scope, url, certificates, { server: paging });
    return { ...end, host: nginx.host, pids: [nginx.pid] };
  }
  const tls = {
    cert: await readFile(certificates.certificate, 'utf8'),
    key: await readFile(certificates.key, 'utf8'),
  };
  const { host } = await startServe(scope, { ...options, tls });
  return { ...end, host, pids: [] };
}

function authorizeBy(auth: FarEndOptions['auth']) {
  if (auth === 'none') return undefined;
  if (auth === 'basic') {
    const accounts = new Map([[ada.username, hashSync(ada.password, 4)]]);
    return createBasicAuth({ accounts: async () => accounts, realm: 'test' });
  }
  const trust = readRoots(auth.certificate, 'certificate.pem');
  const { realm, service, issuer } = auth;
  return createTokenAuth({ realm, service, issuer, trust: async () => trust });
}
