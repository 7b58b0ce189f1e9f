import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { configError } from '../documents/config-error.ts';
import type { Origin } from '../origin.ts';

/** Where a Docker daemon listens. */
export type DaemonAddress =
  /** A Unix socket, or a named pipe on Windows. */
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly prefix: string };

const ports = { plain: 2375, tls: 2376 };

/**
 * Reads the address of a daemon, as `DOCKER_HOST` and contexts have it. A word without a scheme is a TCP address.
 *
 * @param opts.tls Whether TLS is used; it decides the default port.
 * @throws OciError CONFIG_INVALID; UNSUPPORTED for ssh.
 * @see https://docs.docker.com/reference/cli/docker/#host
 */
export function parseDaemonAddress(
  text: string,
  { origin, tls }: { readonly origin: Origin; readonly tls: boolean },
): DaemonAddress {
  const [, scheme = 'tcp', rest = text] = /^([a-z]+):\/\/(.*)$/is.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case 'unix':
      return { kind: 'socket', path: rest === '' ? defaultSocket : rest };
    case 'npipe':
      return { kind: 'socket', path: (rest === '' ? defaultPipe : rest).replaceAll('/', '\\') };
    case 'tcp':
      return parseTcp(rest, text, origin, tls ? ports.tls : ports.plain);
    case 'ssh':
      throw new OciError('UNSUPPORTED', `${shown(origin)}Docker daemons are not reached over ssh: ${quote(text)}`, {
        hint: `forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock ${rest || 'HOST'}, and set DOCKER_HOST=unix:///tmp/docker.sock`,
      });
    default:
      throw invalid(text, origin);
  }
}

const defaultSocket = '/var/run/docker.sock';
const defaultPipe = '//./pipe/docker_engine';

/** Where Docker's own client looks for a daemon if nothing is set. */
export function defaultDaemonHost(platform: NodeJS.Platform): string {
  return platform === 'win32' ? `npipe://${defaultPipe}` : `unix://${defaultSocket}`;
}

function parseTcp(rest: string, text: string, origin: Origin, defaultPort: number): DaemonAddress {
  const [, host = '', port = '', path = ''] =
    /^(\[[0-9a-f:.]+\]|[^[\]:/@?#\s]*)(?::(\d{1,5}))?(\/[^?#\s]*)?$/i.exec(rest) ?? [];
  if (host === '' && port === '' && rest !== '') throw invalid(text, origin);
  const number = port === '' ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) throw invalid(text, origin);
  const plain = host.replace(/^\[|\]$/g, '');
  return { kind: 'tcp', host: plain === '' ? 'localhost' : plain, port: number, prefix: path.replace(/\/+$/, '') };
}

function invalid(text: string, origin: Origin): OciError {
  return configError(
    origin,
    `${quote(text)} is no address of a Docker daemon`,
    'write unix:///PATH, tcp://HOST:PORT, or npipe:////./pipe/NAME on Windows',
  );
}

function shown({ kind, name }: Origin): string {
  return kind === 'default' ? '' : `${name}: `;
}
