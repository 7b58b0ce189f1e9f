import type { AddressInfo, Server } from 'node:net';
import { OciError } from '../../model/errors.ts';

/** @throws OciError USAGE with a hint if it cannot listen there. */
export function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const { reason, hint } = reasonOf(cause, port);
      reject(new OciError('USAGE', `cannot listen on ${formatHost(host)}:${port}: ${reason}`, { cause, hint }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // If there are no file descriptors left, accepting fails: that connection is lost, and the server continues.
      server.on('error', () => {});
      resolve(server.address() as AddressInfo);
    });
  });
}

/** A host for a URL or reference: an IPv6 address gets brackets, `[::1]`. */
export function formatHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The URL by which this machine reaches a server that listens on `host`. */
export function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${scheme}://${formatHost(reachable)}:${port}`;
}

function reasonOf({ code }: NodeJS.ErrnoException, port: number): { reason: string; hint?: string } {
  switch (code) {
    case 'EADDRINUSE':
      return {
        reason: 'another program listens there',
        hint: 'choose another port with --addr; port 0 takes a free one',
      };
    case 'EACCES':
      return {
        reason: 'permission denied',
        hint: port < 1024 ? 'ports below 1024 are for the administrator: choose a higher one' : 'choose another port',
      };
    case 'EADDRNOTAVAIL':
      return { reason: 'this machine has no such address', hint: 'listen on all it has with 0.0.0.0, or [::]' };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { reason: 'the name has no address', hint: 'name an address of this machine, or 0.0.0.0 for all' };
    default:
      return { reason: code ?? 'the system refused it' };
  }
}
