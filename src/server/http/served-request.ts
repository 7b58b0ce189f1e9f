import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestContext } from '../../registry/request-context.ts';

/** The context of one HTTP request. Its id is made when it is first read. */
export class ServedRequest implements RequestContext {
  readonly method: string;
  readonly remoteAddress: string;
  readonly host: string | undefined;
  readonly userAgent: string | undefined;
  /** Set when the request is authorised. */
  user: string | undefined;
  #id: string | undefined;

  constructor({ method = 'GET', socket, headers }: IncomingMessage) {
    this.method = method;
    // A connection that has closed has no address any more.
    this.remoteAddress = socket.remoteAddress ?? '';
    this.host = headers.host;
    this.userAgent = headers['user-agent'];
  }

  get id(): string {
    this.#id ??= randomUUID();
    return this.#id;
  }
}
