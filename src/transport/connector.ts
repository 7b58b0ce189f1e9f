/** Opens connections to an origin: the address, the trusted roots, and the proxy. */
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import type { TlsSettings } from '../certs/tls-settings.ts';
import type { HostRecord } from '../host-facts/host-facts.ts';
import { type Connect, createDialler, type Goal } from './dial.ts';
import type { NetworkGuard, Visit } from './guard/network-guard.ts';
import type { Names } from './names.ts';
import { answersInPlain } from './plain-probe.ts';
import { isSocks, type ProxyServer } from './proxy/proxy.ts';
import { connectToProxy, openTunnel } from './proxy/tunnel.ts';
import { type Secured, secured } from './trust/secured.ts';

export interface ConnectorOptions {
  readonly url: URL;
  readonly tls: TlsSettings;
  /** Whether our client certificate is sent, and `tls.ca` is tried first. */
  readonly own: boolean;
  readonly verify: boolean;
  readonly timeoutMs: number;
  /** Addresses to connect to, instead of those of the name. */
  readonly addresses?: readonly string[] | undefined;
  /** Where names are looked up. Default: Node's own way, for each connection. */
  readonly names?: Names | undefined;
  /** Checks addresses outside the registry itself. */
  readonly guard?: NetworkGuard | undefined;
  readonly proxy?: ProxyServer | undefined;
  /** Sockets that are being connected, so that a close can destroy them. */
  readonly pending?: Set<Socket> | undefined;
  /** What is known of the host, and where it is noted which trust anchors fit. */
  readonly facts?: HostRecord | undefined;
  /** Called if the server requests a client certificate in a successful handshake. */
  readonly onCertificateRequest?: (() => void) | undefined;
}

/** Whether requests to an origin are sent to the proxy itself, as opposed to a tunnel through it. */
export function isForwarded({ url, proxy, addresses }: Pick<ConnectorOptions, 'url' | 'proxy' | 'addresses'>): boolean {
  // Through a tunnel, an address can be requested while the server still sees its name.
  return proxy !== undefined && !isSocks(proxy) && url.protocol === 'http:' && addresses === undefined;
}

/** A connector for undici. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { url, guard, proxy } = options;
  const visit = guard?.visit(url);
  const connect = proxy ? proxied(options, proxy) : direct({ ...options, visit });
  const admitted: Connect = async (goal) => {
    await visit?.admit();
    return connect(goal);
  };
  return (goal, callback) => {
    admitted(goal).then(
      (socket) => {
        if (!proxy && !visit) guard?.met(url, socket.remoteAddress);
        callback(null, socket);
      },
      (error: unknown) => {
        options.names?.forget(proxy?.url.hostname ?? goal.hostname);
        callback(error as Error, null);
      },
    );
  };
}

interface DirectOptions extends Omit<ConnectorOptions, 'guard'> {
  readonly visit?: Visit | undefined;
}

function direct(options: DirectOptions): Connect {
  const { url, tls, own, verify, timeoutMs, addresses, names, visit, pending, facts, onCertificateRequest } = options;
  const lookup = addresses ? lookupOf(addresses) : (visit?.lookup ?? names?.lookup);
  const socket = { timeoutMs, pending, lookup };
  if (url.protocol !== 'https:') return createDialler(socket);
  const secure = secured(tls, { own, verify, facts, onCertificateRequest, ...socket });
  return verify ? (goal) => secure(async () => goal) : unlessPlain(createDialler(socket), secure, facts);
}

// A host whose certificate may be invalid often has none. The probe finds that out before TLS is loaded.
function unlessPlain(plain: Connect, secure: Secured, facts: HostRecord | undefined): Connect {
  let spoken = false;
  let probing: Promise<boolean> | undefined;
  // Connections that are opened together share one probe.
  const probe = (goal: Goal): Promise<boolean> => {
    probing ??= answersInPlain(plain, goal).finally(() => {
      probing = undefined;
    });
    return probing;
  };
  return async (goal) => {
    const isKnown = spoken || facts?.known.scheme === 'https';
    if (!isKnown && (await probe(goal))) {
      throw Object.assign(new Error('it answered in plain http'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' });
    }
    const socket = await secure(async () => goal).catch((error: unknown) => {
      facts?.learn({ scheme: undefined });
      throw error;
    });
    spoken = true;
    facts?.learn({ scheme: 'https' });
    return socket;
  };
}

function proxied(options: ConnectorOptions, proxy: ProxyServer): Connect {
  const { url, tls, own, verify, timeoutMs, addresses, names, pending, facts, onCertificateRequest } = options;
  // The proxy is another party: the certificates of the registry's settings do not apply to it.
  const trust = tls.systemRoots ? { systemRoots: tls.systemRoots } : {};
  const toProxy = direct({ url: proxy.url, tls: trust, own: false, verify: true, timeoutMs, names, pending });
  const trusting = { own, verify, pending, timeoutMs, facts, onCertificateRequest };
  const secure = url.protocol === 'https:' ? secured(tls, trusting) : undefined;
  return async (goal) => {
    if (isForwarded({ url, proxy, addresses })) return connectToProxy(proxy, url, toProxy);
    const tunnel = () =>
      firstOf(addresses ?? [undefined], (address) =>
        openTunnel({ proxy, target: url, address, toProxy, timeoutMs, pending }),
      );
    return secure ? secure(async () => ({ ...goal, httpSocket: await tunnel() })) : tunnel();
  };
}

// Node tries all addresses of a name. A proxy gets one at a time.
async function firstOf<T, R>(candidates: readonly T[], attempt: (candidate: T) => Promise<R>): Promise<R> {
  let failure: unknown;
  for (const candidate of candidates) {
    try {
      return await attempt(candidate);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_hostname, { all: wantsAll }, callback) => {
    if (wantsAll) callback(null, all);
    else callback(null, all[0]?.address ?? '', all[0]?.family);
  };
}
