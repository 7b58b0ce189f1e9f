/** Sockets, plain and in TLS. What undici has for it would load the whole of undici, and Node's http. */
import { connect as connectPlain, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectSecurely, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { coded } from './error-code.ts';

/** What undici asks a connector for. `httpSocket` is a connection to go on over. */
export interface Goal
  extends Pick<buildConnector.Options, 'hostname' | 'host' | 'protocol' | 'port' | 'servername' | 'httpSocket'> {
  /** Where this one socket reads to, in place of events. */
  readonly onread?: OnReadOpts;
}
export type Connect = (goal: Goal) => Promise<Socket>;

export interface DialOptions {
  /** To the end of the handshake. */
  readonly timeoutMs: number;
  readonly lookup?: LookupFunction | undefined;
  /** The sockets that are being connected, so that a close can destroy them. */
  readonly pending?: Set<Socket> | undefined;
  /** Absent: plain. Sessions are resumed among the connections of one dialler. */
  readonly secure?:
    | {
        readonly context: SecureContext;
        readonly verify: boolean;
        readonly onCertificateRequest?: (() => void) | undefined;
      }
    | undefined;
}

const dialling = {
  autoSelectFamily: true,
  // Node's 250 ms give up on slow links.
  autoSelectFamilyAttemptTimeout: 1500,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
} as const;

/** Node 20 has a quarter of it. */
const largeReads = { highWaterMark: 64 * 1024 };

export function createDialler({ timeoutMs, lookup, pending, secure }: DialOptions): Connect {
  let session: Buffer | undefined;
  const open = ({ hostname, port, servername, httpSocket, onread }: Goal): Socket => {
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
      ALPNProtocols: ['http/1.1'],
    });
    socket.once('secureConnect', () => {
      // Only a server that asks for a certificate says which signatures it knows. Node has no event for it.
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
        // For good: what goes wrong later is its user's matter, and must not end the process before there is one.
        // What a server says in an alert comes before the end of the connection, which would be told in its place.
        .on('error', (error) => {
          reject(error);
          socket.destroy();
        });
    });
}
