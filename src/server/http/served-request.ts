import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../../registry/request-context.ts';
import { clientOf } from './forwarded.ts';

/** The context of one HTTP request. Its id is made when it is first read. */
export class ServedRequest implements RequestContext {
  readonly method: string;
  readonly remoteAddress: string;
  readonly host: string | undefined;
  /** How the client came, to the server or to the proxy in front of it. */
  readonly scheme: 'http' | 'https';
  readonly userAgent: string | undefined;
  /** Set when the request is authorised. */
  user: string | undefined;
  #id: string | undefined;

  /** @param isProxy Whether an address is that of a proxy whose word counts. */
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
