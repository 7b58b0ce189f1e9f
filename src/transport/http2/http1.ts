/** What HTTP/2 needs of HTTP/1.1. */
import type { OnReadOpts, Socket } from 'node:net';
import type { Dispatcher } from 'undici';

/** A connection of HTTP/1.1 that may be made. */
export interface Http1Place {
  /** Where its socket reads to, instead of emitting events. */
  readonly onread?: OnReadOpts;
  /** Called with the socket if the server has chosen HTTP/1.1. */
  take(socket: Socket): void;
  /** Called if there will be none. */
  drop(): void;
}

/** Sends requests over HTTP/1.1. */
export interface Http1 extends Pick<Dispatcher, 'dispatch'> {
  /** Whether a request would be sent at once. */
  readonly ready: boolean;
  reserve(): Http1Place;
}
