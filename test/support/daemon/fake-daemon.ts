/** A daemon on a socket that a test programs to be what Docker's own is not: another version, or faulty. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type DaemonEndpoint, findDaemon } from '../../../src/config/docker/daemon-endpoint.ts';
import { environment } from '../../../src/config/environment.ts';
import { patient } from '../fake-server.ts';
import { atEnd, type Scope, temporaryDirectory } from '../sandbox.ts';

export type Handler = (response: ServerResponse, incoming: IncomingMessage, url: URL) => unknown;

export interface FakeDaemon {
  readonly endpoint: DaemonEndpoint;
  /** `unix:///…`, for DOCKER_HOST. */
  readonly host: string;
  /** `GET /v1.41/images/json`, in the order of arrival. */
  readonly lines: readonly string[];
}

/**
 * Starts a daemon.
 *
 * @param options.version The latest API version that it speaks.
 * @param options.oldest It refuses older ones, as Docker does.
 * @param handlers By method and path without the version: `GET /images/json`; `*` for all others.
 */
export async function startFakeDaemon(
  t: Scope,
  { version, oldest = '1.24' }: { readonly version: string | undefined; readonly oldest?: string },
  handlers: Readonly<Record<string, Handler>> = {},
): Promise<FakeDaemon> {
  const path = join(await temporaryDirectory(t), 'docker.sock');
  const lines: string[] = [];
  const server = createServer(patient, (incoming, response) => {
    const url = new URL(incoming.url ?? '', 'http://docker');
    lines.push(`${incoming.method} ${url.pathname}`);
    if (version !== undefined) response.setHeader('Api-Version', version);
    if (url.pathname === '/_ping') return response.end('OK');
    const [, spoken = '', rest = ''] = /^\/v([\d.]+)(\/.*)$/.exec(url.pathname) ?? [];
    if (minorOf(spoken) < minorOf(oldest)) {
      return fail(response, 400, `client version ${spoken} is too old. Minimum supported API version is ${oldest}`);
    }
    if (minorOf(spoken) > minorOf(version)) {
      return fail(response, 400, `client version ${spoken} is too new. Maximum supported API version is ${version}`);
    }
    const handler = handlers[`${incoming.method} ${rest}`] ?? handlers['*'];
    return handler ? handler(response, incoming, url) : fail(response, 404, 'page not found');
  });
  server.listen(path);
  await once(server, 'listening');
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  const host = `unix://${path}`;
  return { endpoint: await findDaemon(environment({ env: { DOCKER_HOST: host } }), undefined), host, lines };
}

/** An error as Docker's daemon reports it. */
export function fail(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }));
}

function minorOf(version = ''): number {
  return Number(version.split('.')[1] ?? 0);
}
