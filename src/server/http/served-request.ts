import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../../registry/request-context.ts';
import { clientOf } from './forwarded.ts';

/** The context of one HTTP request. Its ID is made on first use. */
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
  }

  get id(): string {
    this.#id ??= randomUUID();
    return this.#id;
  }
}
