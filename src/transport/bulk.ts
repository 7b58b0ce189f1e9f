import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import { BulkConnection, type BulkLimits } from './bulk-connection.ts';
import type { Goal } from './dial.ts';

interface BulkOptions {
  readonly url: URL;
  readonly limits: BulkLimits;
  readonly connect: buildConnector.connector;
  /** For requests that are not simple, and for those whose responses are not. */
  readonly fallback: Pick<Dispatcher, 'dispatch'>;
}

/** Fields that are written here, or that would change the framing. */
const ownFields = /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect)$/i;

/**
 * Sends HEADs, and GETs of large bodies, over connections that read into reusable memory. It handles what nearly all
 * servers send. After the first other response, the fallback serves this origin permanently.
 */
export class BulkDispatcher implements Pick<Dispatcher, 'dispatch'> {
  readonly #options: BulkOptions;
  readonly #resting: BulkConnection[] = [];
  readonly #all = new Set<BulkConnection>();
  #fit = true;

  constructor(options: BulkOptions) {
    this.#options = options;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { url, fallback, limits } = this.#options;
    const text = this.#fit ? requestText(options, url) : undefined;
    if (text === undefined) return fallback.dispatch(options, handler);
    const connection = this.#connection();
    connection.send({
      text,
      hasBody: options.method !== 'HEAD',
      headersTimeoutMs: options.headersTimeout ?? limits.headersTimeoutMs,
      handler,
      onUnusual: () => {
        this.#fit = false;
        fallback.dispatch(options, handler);
      },
      onReusable: (restMs) => {
        connection.rest(restMs);
        this.#resting.push(connection);
      },
    });
    return true;
  }

  close(): void {
    this.#fit = false;
    for (const connection of this.#all) connection.destroy();
  }

  #connection(): BulkConnection {
    for (let rested = this.#resting.pop(); rested; rested = this.#resting.pop()) {
      if (rested.open) return rested;
    }
    const { url, connect, limits } = this.#options;
    const connection = new BulkConnection(limits, () => this.#all.delete(connection));
    this.#all.add(connection);
    const { host, protocol, port } = url;
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const goal: Goal = { host, hostname, protocol, port, onread: connection.onread };
    connect(goal as buildConnector.Options, (error: Error | null, socket: Socket | null) => {
      if (socket) connection.attach(socket);
      else connection.destroy(error ?? undefined);
    });
    return connection;
  }
}

/** @returns Undefined if it is not a simple GET or HEAD. */
function requestText(options: Dispatcher.DispatchOptions, url: URL): string | undefined {
  const { method, path, headers, body } = options;
  if ((method !== 'GET' && method !== 'HEAD') || body || !/^\/[\x21-\x7e]*$/.test(path)) return undefined;
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${url.host}`, 'connection: keep-alive'];
  for (const [name, value] of Object.entries((headers ?? {}) as Record<string, unknown>)) {
    const plain = typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value) && /^[A-Za-z0-9-]+$/.test(name);
    if (!plain || ownFields.test(name)) return undefined;
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
