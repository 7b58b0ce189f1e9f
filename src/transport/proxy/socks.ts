/** The client side of SOCKS. Loaded only if there is such a proxy. */
import type { Socket } from 'node:net';
import { SocksClient } from 'socks';

interface SocksGoal {
  readonly proxy: { readonly hostname: string; readonly port: number };
  readonly user: { readonly name: string; readonly password: string } | undefined;
  /** The proxy resolves a name. */
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** Why there is no connection. `answer` is for messages, and contains no secret. */
export interface SocksRefusal {
  readonly why: 'user' | 'rule' | 'unreachable' | 'silence' | 'cut' | 'protocol';
  readonly answer: string;
}

/**
 * Lets a SOCKS 5 proxy connect a socket to a target.
 *
 * @param socket A connection to the proxy. It is destroyed if the proxy refuses.
 * @see https://www.rfc-editor.org/rfc/rfc1928
 */
export async function connectThroughSocks(socket: Socket, goal: SocksGoal): Promise<Socket | SocksRefusal> {
  const { proxy, user, host, port, timeoutMs } = goal;
  try {
    const { socket: connected } = await SocksClient.createConnection({
      proxy: {
        host: proxy.hostname,
        port: proxy.port,
        type: 5,
        ...(user && { userId: user.name, password: user.password }),
      },
      command: 'connect',
      destination: { host, port },
      existing_socket: socket,
      timeout: timeoutMs,
    });
    return connected;
  } catch (error) {
    socket.destroy();
    // The error object contains the password: only its message is used.
    return refusalOf(error instanceof Error ? error.message : '');
  }
}

/** The package only distinguishes failures by their messages; those of RFC 1928 are in parentheses. */
function refusalOf(message: string): SocksRefusal {
  const [, reply = ''] = /rejected connection - \(?(\w+)/.exec(message) ?? [];
  if (reply === 'NotAllowed') return { why: 'rule', answer: 'connection not allowed by its rules' };
  if (reply !== '') return { why: 'unreachable', answer: replies[reply] ?? 'failure' };
  if (/authentication failed|no accepted authentication/i.test(message)) return { why: 'user', answer: 'SOCKS 5' };
  if (/timed out/i.test(message)) return { why: 'silence', answer: '' };
  if (/socket closed/i.test(message)) return { why: 'cut', answer: '' };
  return { why: 'protocol', answer: '' };
}

const replies: Readonly<Record<string, string>> = {
  NetworkUnreachable: 'network unreachable',
  HostUnreachable: 'host unreachable',
  ConnectionRefused: 'connection refused',
  TTLExpired: 'time to live expired',
  CommandNotSupported: 'command not supported',
  AddressNotSupported: 'address type not supported',
};
