/** Plain and TLS sockets. undici's connector would load all of undici, and Node's http. */
import { connect as connectPlain, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecurely, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { coded } from './error-code.ts';

/** The options that undici passes to a connector. `httpSocket` is an existing connection to use. */
export interface Goal
  extends Pick<buildConnector.Options, 'hostname' | 'host' | 'protocol' | 'port' | 'servername' | 'httpSocket'> {
  /** Where this socket reads to, instead of emitting events. */
  readonly onread?: OnReadOpts;
  /** What is offered to the server (ALPN), the best first. Default: HTTP/1.1. */
  readonly protocols?: readonly string[];
}
export type Connect = (goal: Goal) => Promise<Socket>;

export interface DialOptions {
  /** Time limit up to the end of the handshake. */
  readonly timeoutMs: number;
  readonly lookup?: LookupFunction | undefined;
  /** Sockets that are being connected, so that a close can destroy them. */
  readonly pending?: Set<Socket> | undefined;
  /** If absent: plain. The connections of one dialler resume each other's sessions. */
  readonly secure?:
    | {
        readonly context: SecureContext;
        readonly verify: boolean;
        /** Called when the client's part of the handshake has been sent: there is time until the server's comes. */
        readonly onHello?: (() => void) | undefined;
        readonly onCertificateRequest?: (() => void) | undefined;
      }
    | undefined;
}

const dialling = {
  autoSelectFamily: true,
  // Node's default of 250 ms is too short for slow links.
  autoSelectFamilyAttemptTimeout: 1500,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
} as const;

/** In Node 20 the default is a quarter of that. */
const largeReads = { highWaterMark: 64 * 1024 };

export function createDialler({ timeoutMs, lookup, pending, secure }: DialOptions): Connect {
  let session: Buffer | undefined;
  const open = ({ hostname, port, servername, httpSocket, onread, protocols = ['http/1.1'] }: Goal): Socket => {
    const where = { ...dialling, host: hostname, ...(lookup && { lookup }), ...(onread && { onread }) };
    if (!secure) return connectPlain({ ...where, ...largeReads, port: Number(port || 80) });
    const socket = connectSecurely({
      ...where,
      port: Number(port || 443),
      ...(httpSocket && { socket: httpSocket }),
      servername: servername || (isIP(hostname) === 0 ? hostname : ''),
      secureContext: secure.context,
      rejectUnauthorized: secure.verify,
      session,
      ALPNProtocols: [...protocols],
    });
    const hello = (): void => {
      try {
        secure.onHello?.();
      } catch (error) {
        socket.destroy(error as Error);
      }
    };
    // Node has sent it when it tells of the connection, and at once over a connection that there is.
    if (httpSocket) hello();
    else socket.once('connect', hello);
    socket.once('secureConnect', () => {
      // Only a server that requests a certificate sends its signature algorithms. Node has no event for the request.
      if (!socket.destroyed && socket.getSharedSigalgs()?.length > 0) secure.onCertificateRequest?.();
    });
    return socket.on('session', (next) => {
      session = next;
    });
  };
  return (goal) =>
    new Promise((resolve, reject) => {
      const socket = open(goal);
      const timer = setTimeout(() => socket.destroy(coded('UND_ERR_CONNECT_TIMEOUT')), timeoutMs);
      pending?.add(socket);
      const settle = (): void => {
        clearTimeout(timer);
        pending?.delete(socket);
      };
      socket
        .once(secure ? 'secureConnect' : 'connect', () => resolve(socket))
        .once(secure ? 'secureConnect' : 'connect', settle)
        .once('close', settle)
        // Never removed: a later error is for the user of the socket, and must not end the process before there is one.
        // It also lets an alert of the server win over the end of the connection that follows it.
        .on('error', (error) => {
          reject(error);
          socket.destroy();
        });
    });
}
