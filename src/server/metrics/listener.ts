import { createServer } from 'node:http';
import { acceptedNames, isAcceptedHost } from '../http/browsers.ts';
import { formatHost, listen } from '../http/listen.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsListener {
  /** Where Prometheus reads them: `http://127.0.0.1:9090/metrics`. */
  readonly url: string;
  stop(): Promise<void>;
}

interface MetricsAddress {
  readonly host: string;
  readonly port: number;
  /** Further names that requests may use while only this machine reaches it. */
  readonly allowedHosts?: readonly string[] | undefined;
}

/**
 * Serves metrics at `/metrics`, on a listener of their own: who may use the registry need not see them.
 *
 * @throws OciError USAGE if it cannot listen there.
 */
export async function serveMetrics(
  { render }: Pick<Metrics, 'render'>,
  { host, port, allowedHosts = [] }: MetricsAddress,
): Promise<MetricsListener> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 8_192 });
  server.maxConnections = 64;
  let names: ReadonlySet<string> | undefined = new Set();
  server.on('request', ({ method, url, headers }, response) => {
    const isAccepted = isAcceptedHost(headers.host, names);
    const isFound = url?.split('?', 1)[0] === '/metrics';
    const isRead = method === 'GET' || method === 'HEAD';
    const status = !isAccepted ? 421 : !isFound ? 404 : isRead ? 200 : 405;
    const type = status === 200 ? 'text/plain; version=0.0.4; charset=utf-8' : 'text/plain; charset=utf-8';
    const fields = { 'content-type': type, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
    response.writeHead(status, status === 405 ? { ...fields, allow: 'GET, HEAD' } : fields);
    const why = isAccepted ? 'the metrics are at /metrics\n' : 'only this machine may ask, by a name of its own\n';
    response.end(method === 'HEAD' ? '' : status === 200 ? render() : why);
  });
  const address = await listen(server, host, port);
  names = acceptedNames(address.address, [host, ...allowedHosts]);
  return {
    url: `http://${formatHost(address.address)}:${address.port}/metrics`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
