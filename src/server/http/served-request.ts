import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../../registry/request-context.ts';
import { plainAddress } from './addresses.ts';
import { clientOf } from './forwarded.ts';

/** An ID that a proxy made: a UUID, or what proxies write otherwise. */
const idPattern = /^[\w.:=+/@-]{1,128}$/;

/** The context of one HTTP request. Its ID is that of a trusted proxy, or made on first use. */
export class ServedRequest implements RequestContext {
  readonly method: string;
  readonly remoteAddress: string;
  readonly host: string | undefined;
  /** The scheme that the client used, to this server or to the proxy in front of it. */
  readonly scheme: 'http' | 'https';
  readonly userAgent: string | undefined;
  /** Set when the request is authorised. */
  user: string | undefined;
  #id: string | undefined;

  /** @param isProxy Whether an address is a trusted proxy. */
  constructor(request: IncomingMessage, isProxy: ((address: string) => boolean) | undefined) {
    const { remoteAddress, scheme, host } = clientOf(request, isProxy);
    this.method = request.method ?? 'GET';
    this.remoteAddress = remoteAddress;
    this.scheme = scheme;
    this.host = host;
    this.userAgent = request.headers['user-agent'];
    const id = request.headers['x-request-id'];
    // A client of its own could give the ID of somebody else's request.
    if (typeof id === 'string' && idPattern.test(id) && isProxy?.(plainAddress(request.socket.remoteAddress ?? ''))) {
      this.#id = id;
    }
  }

  get id(): string {
    this.#id ??= randomUUID();
    return this.#id;
  }
}
