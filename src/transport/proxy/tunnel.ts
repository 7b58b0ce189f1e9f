/** Connections to a proxy and through it. Errors tell that the proxy caused them. */
import { request, STATUS_CODES } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { formatOrigin } from '../../config/origin.ts';
import { OciError } from '../../model/errors.ts';
import { printable } from '../../wire/errors.ts';
import type { Connect } from '../dial.ts';
import { networkError } from '../failures.ts';
import { type HttpHeaders, header } from '../http.ts';
import { endpointOf } from '../redact.ts';
import { isSocks, type ProxyServer } from './proxy.ts';
import type { SocksRefusal } from './socks.ts';

/** @throws OciError naming the proxy. */
export async function connectToProxy(proxy: ProxyServer, target: URL, toProxy: Connect): Promise<Socket> {
  const { protocol, hostname, host, port } = proxy.url;
  try {
    return await toProxy({ protocol, hostname: hostname.replace(/^\[|\]$/g, ''), host, port });
  } catch (error) {
    throw proxyError(error, proxy, target);
  }
}

interface TunnelOptions {
  readonly proxy: ProxyServer;
  readonly target: URL;
  /** Requested instead of the target's name. */
  readonly address: string | undefined;
  readonly toProxy: Connect;
  readonly timeoutMs: number;
  readonly pending: Set<Socket> | undefined;
}

/**
 * Lets a proxy open a connection. With TLS the proxy cannot see what is sent. The proxy resolves names, even for
 * `socks5://`, as in Go and Docker.
 *
 * @throws OciError NETWORK or TIMEOUT naming the proxy: it cannot be reached, requires a password, or refuses to connect.
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-connect
 */
export async function openTunnel(options: TunnelOptions): Promise<Socket> {
  const { proxy, target, address, toProxy, timeoutMs, pending } = options;
  const socket = await connectToProxy(proxy, target, toProxy);
  const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : target.port;
  const host = address === undefined ? target.hostname : isIPv6(address) ? `[${address}]` : address;
  const path = `${host}:${port}`;
  pending?.add(socket);
  if (isSocks(proxy)) return throughSocks(socket, { ...options, host, port }).finally(() => pending?.delete(socket));
  return new Promise<Socket>((resolve, reject) => {
    const fail = (error: unknown): void => {
      socket.destroy();
      reject(error instanceof OciError ? error : proxyError(error, proxy, target));
    };
    const asked = request({
      method: 'CONNECT',
      path,
      headers: { host: path, ...authorizationFor(proxy) },
      createConnection: () => socket,
    });
    // The proxy may try for as long as a direct connection could, and then has to report it.
    asked.setTimeout(timeoutMs * 2, () => fail(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    asked.once('error', fail);
    asked.once('connect', ({ statusCode = 0, headers }, connected, head) => {
      socket.setTimeout(0);
      if (statusCode < 200 || statusCode > 299) return fail(refusal(statusCode, headers, proxy, target));
      if (head.length > 0) connected.unshift(head);
      resolve(connected as Socket);
    });
    asked.end();
  }).finally(() => pending?.delete(socket));
}

async function throughSocks(
  socket: Socket,
  { proxy, target, host, port, timeoutMs }: TunnelOptions & { readonly host: string; readonly port: string | number },
): Promise<Socket> {
  const { connectThroughSocks } = await import('./socks.ts');
  const bare = (name: string): string => name.replace(/^\[|\]$/g, '');
  const connected = await connectThroughSocks(socket, {
    proxy: { hostname: bare(proxy.url.hostname), port: Number(proxy.url.port) },
    user: proxy.user,
    host: bare(host),
    port: Number(port),
    timeoutMs: timeoutMs * 2,
  });
  if ('why' in connected) throw socksError(connected, proxy, target);
  return connected;
}

/** Sends requests to a proxy, which finds the target in them. */
export function forwarding(
  pool: Pick<Dispatcher, 'dispatch'>,
  proxy: ProxyServer,
  target: URL,
): Pick<Dispatcher, 'dispatch'> {
  return {
    dispatch(options, handler) {
      const headers = { ...(options.headers as Record<string, string>), host: target.host, ...authorizationFor(proxy) };
      const origin = proxy.url.origin;
      return pool.dispatch(
        { ...options, origin, path: `${target.origin}${options.path}`, headers },
        {
          ...handler,
          onResponseStart(controller, status, answered, statusMessage) {
            const own = status === 407 || header(answered as HttpHeaders, 'x-squid-error') !== undefined;
            if (own) controller.abort(refusal(status, answered as HttpHeaders, proxy, target));
            else handler.onResponseStart?.(controller, status, answered, statusMessage);
          },
        },
      );
    },
  };
}

function authorizationFor({ authorization }: ProxyServer): { 'proxy-authorization'?: string } {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}

function proxyError(error: unknown, proxy: ProxyServer, target: URL): OciError {
  const { code, message, retryable } = networkError(error, proxy.url);
  const reason = message.replace(`${proxy.url.host}: `, '');
  return new OciError(code, `${target.host}: the proxy ${shown(proxy)} cannot be used: ${reason}`, {
    cause: error,
    endpoint: endpointOf(target),
    retryable,
    hint: `check ${formatOrigin(proxy.origin)}, or name the registry in NO_PROXY to go there directly`,
  });
}

function socksError({ why, answer }: SocksRefusal, proxy: ProxyServer, target: URL): OciError {
  if (why === 'silence') return proxyError(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }), proxy, target);
  if (why === 'cut') return proxyError(Object.assign(new Error('cut'), { code: 'ECONNRESET' }), proxy, target);
  if (why === 'user') return wantsUser(answer, proxy, target);
  if (why === 'unreachable') return cannotReach(answer, proxy, target);
  if (why === 'rule') return refusesTo(answer, proxy, target);
  const hint = `check scheme and port in ${formatOrigin(proxy.origin)}: a proxy for HTTP is written http://host:port`;
  return refused('does not speak SOCKS 5', hint, proxy, target);
}

/** The error for a proxy's own response. Squid gives the reason in a header. */
function refusal(status: number, headers: HttpHeaders, proxy: ProxyServer, target: URL): OciError {
  const detail = header(headers, 'x-squid-error');
  const answer =
    `${status} ${STATUS_CODES[status] ?? ''}`.trim() + (detail === undefined ? '' : `, ${printable(detail)}`);
  if (status === 407) return wantsUser(answer, proxy, target);
  return status >= 500 ? cannotReach(answer, proxy, target) : refusesTo(answer, proxy, target);
}

function wantsUser(answer: string, proxy: ProxyServer, target: URL): OciError {
  const isNobody = proxy.authorization === undefined && proxy.user === undefined;
  const what = isNobody ? 'wants a user and a password' : 'refuses the user or the password';
  const { protocol, host } = proxy.url;
  const hint = `put them into ${formatOrigin(proxy.origin)}, as in ${isSocks(proxy) ? protocol : 'http:'}//user:password@${host}`;
  return refused(`${what} (${answer})`, hint, proxy, target);
}

function cannotReach(answer: string, proxy: ProxyServer, target: URL): OciError {
  const hint = 'check the name of the registry, and what the proxy can reach';
  return refused(`cannot reach it (${answer})`, hint, proxy, target);
}

function refusesTo(answer: string, proxy: ProxyServer, target: URL): OciError {
  const hint = 'have the proxy allow it, or name the registry in NO_PROXY to go there directly';
  return refused(`refuses to connect (${answer})`, hint, proxy, target);
}

function refused(text: string, hint: string, proxy: ProxyServer, target: URL): OciError {
  return new OciError('NETWORK', `${target.host}: the proxy ${shown(proxy)} ${text}`, {
    // Without `status`, which is for responses of the registry.
    endpoint: endpointOf(target),
    retryable: false,
    hint,
  });
}

function shown({ url, origin }: ProxyServer): string {
  return `${url.host} (${formatOrigin(origin)})`;
}
