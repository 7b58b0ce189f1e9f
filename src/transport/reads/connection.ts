import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { coded, errorCode } from '../error-code.ts';
import { ChunkedFraming } from './chunked.ts';
import { parseReadHead, type ReadHead } from './head.ts';
import { ReadMemory } from './memory.ts';

export interface ConnectionLimits {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly headerBytes: number;
}

/** A request, with callbacks for its outcome and that of its connection. */
interface ReadRequest {
  readonly text: string;
  /** Whether the response has a body; the response to a HEAD has none. */
  readonly hasBody: boolean;
  readonly headersTimeoutMs: number;
  readonly handler: Dispatcher.DispatchHandler;
  /** Called for a response that this parser does not handle. Nothing of it was passed on. */
  onUnusual(): void;
  /** Called if the connection can be reused, with the time for which it stays open. */
  onReusable(restMs: number): void;
  /** Called if a connection that had rested turns out to be gone: nothing has answered the request. */
  onStale(): void;
}

/** The controls of a request's reader. `done` returns the memory of a chunk, at any time. */
interface ReadController extends Dispatcher.DispatchController {
  done(chunk: Uint8Array): void;
}

interface Current extends ReadRequest {
  readonly controller: ReadController;
  head: ReadHead | undefined;
  /** Bytes of the body that are still to come, or its chunks. */
  missing: number;
  chunks: ChunkedFraming | undefined;
}

/**
 * An HTTP/1.1 connection that reads directly into reusable memory. It handles one request at a time; anything
 * unexpected ends it.
 */
export class ReadConnection {
  readonly #memory = new ReadMemory();
  readonly #limits: ConnectionLimits;
  readonly #ended: () => void;
  #socket: Socket | undefined;
  #current: Current | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;
  #heading = '';
  /** Whether it was idle before this request: the server may have closed it meanwhile. */
  #rested = false;

  /** @param ended Called when the connection is gone. */
  constructor(limits: ConnectionLimits, ended: () => void) {
    this.#limits = limits;
    this.#ended = ended;
  }

  /** The `onread` option for the socket, which does not exist yet. */
  readonly onread = {
    buffer: (): Uint8Array => this.#memory.room(),
    callback: (size: number): boolean => this.#read(size),
  };

  /** Whether another request can be sent. */
  get open(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable;
  }

  /** Sets the connected socket. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.destroy(error));
    socket.on('end', () => {
      if (this.#heading === '') this.destroy(coded('UND_ERR_SOCKET'));
      else this.#giveUp(this.#current);
    });
    socket.on('close', () => this.destroy(coded('UND_ERR_SOCKET')));
  }

  /** Sends a request. */
  send(request: ReadRequest): void {
    const current: Current = {
      ...request,
      controller: this.#controller(),
      head: undefined,
      missing: 0,
      chunks: undefined,
    };
    this.#current = current;
    this.#paused = false;
    this.#heading = '';
    clearTimeout(this.#timer);
    request.handler.onRequestStart?.(current.controller, undefined);
    if (this.#current === current) this.#write(current);
  }

  /** Keeps the connection idle until the next request. Any byte that arrives meanwhile ends it. */
  rest(restMs: number): void {
    this.#rested = true;
    this.#socket?.unref();
    this.#timer = setTimeout(() => this.destroy(), restMs).unref();
  }

  destroy(error: Error = coded('UND_ERR_DESTROYED')): void {
    const current = this.#current;
    this.#current = undefined;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#memory.close();
    this.#ended();
    const isStale = this.#rested && isCut(error) && current?.head === undefined && this.#heading === '';
    if (current && isStale) current.onStale();
    else current?.handler.onResponseError?.(current.controller, error);
  }

  /** Ends it before it has a socket. What its memory was promised to may still write there, so nobody gets it next. */
  abandon(): void {
    this.#memory.abandon();
    this.destroy();
  }

  #write({ text, headersTimeoutMs }: Current): void {
    this.#limitTime(headersTimeoutMs, () => coded('UND_ERR_HEADERS_TIMEOUT'));
    this.#socket?.ref();
    this.#socket?.write(text, 'latin1');
  }

  #read(size: number): boolean {
    const chunk = this.#memory.lend(size);
    const current = this.#current;
    if (current?.head) this.#body(current, chunk);
    else if (current) this.#headers(current, chunk);
    else {
      this.#memory.take(chunk);
      this.destroy();
    }
    return !this.#paused;
  }

  #headers(current: Current, chunk: Uint8Array): void {
    const { headerBytes, keepAliveMs, idleTimeoutMs } = this.#limits;
    const before = this.#heading.length;
    const start = Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, headerBytes));
    const ended = start.indexOf('\r\n\r\n');
    this.#heading += start.toString('latin1', 0, ended < 0 ? start.length : ended + 4);
    const end = this.#heading.indexOf('\r\n\r\n', Math.max(0, before - 3));
    const head = end < 0 ? undefined : parseReadHead(this.#heading.slice(0, end), keepAliveMs, current.hasBody);
    const headBytes = head ? end + 4 - before : chunk.length;
    this.#memory.take(chunk.subarray(0, headBytes));
    if (head) {
      this.#heading = '';
      current.head = head;
      current.missing = head.bodyBytes ?? 0;
      current.chunks = head.bodyBytes === undefined ? new ChunkedFraming() : undefined;
      this.#limitTime(idleTimeoutMs, () => coded('UND_ERR_BODY_TIMEOUT'));
      current.handler.onResponseStart?.(current.controller, head.status, head.headers);
      this.#body(current, chunk.subarray(headBytes));
    } else if (end >= 0 || this.#heading.length >= headerBytes || !isPromising(this.#heading, before)) {
      this.#giveUp(current);
    }
  }

  #giveUp(current: Current | undefined): void {
    this.#current = undefined;
    this.destroy();
    current?.onUnusual();
  }

  #body(current: Current, chunk: Uint8Array): void {
    const extra = current.chunks ? this.#inChunks(current, current.chunks, chunk) : this.#inLength(current, chunk);
    if (extra === undefined || this.#current !== current) return;
    this.#current = undefined;
    this.#paused = false;
    clearTimeout(this.#timer);
    const restMs = current.head?.restMs ?? 0;
    // Bytes after the end belong to no response.
    const reusable = extra === 0 && restMs > 0 && this.open;
    if (!reusable) this.destroy();
    current.handler.onResponseEnd?.(current.controller, {});
    if (reusable) current.onReusable(restMs);
  }

  /** @returns The number of bytes after the end of the body; undefined if it has not ended. */
  #inLength(current: Current, chunk: Uint8Array): number | undefined {
    const wanted = this.#current === current ? current.missing : 0; // its reader may have cancelled
    const own = chunk.subarray(0, wanted);
    this.#memory.take(chunk.subarray(own.length));
    current.missing -= own.length;
    this.#timer?.refresh();
    if (own.length > 0) current.handler.onResponseData?.(current.controller, own as Buffer);
    return current.missing > 0 ? undefined : chunk.length - own.length;
  }

  #inChunks(current: Current, chunks: ChunkedFraming, chunk: Uint8Array): number | undefined {
    const framing = (piece: Uint8Array): void => this.#memory.take(piece);
    const content = (piece: Uint8Array): void => {
      if (this.#current === current) current.handler.onResponseData?.(current.controller, piece as Buffer);
      else this.#memory.take(piece);
    };
    this.#timer?.refresh();
    try {
      const extra = chunks.read(chunk, { framing, content });
      this.#memory.take(extra);
      return chunks.ended ? extra.length : undefined;
    } catch (error) {
      this.destroy(error as Error);
      return undefined;
    }
  }

  #controller(): ReadController {
    const isCurrent = (): boolean => this.#current?.controller === controller;
    const controller: ReadController = {
      aborted: false,
      paused: false,
      reason: null,
      abort: (reason) => {
        if (isCurrent()) this.destroy(reason);
      },
      pause: () => {
        if (isCurrent()) this.#paused = true;
      },
      resume: () => {
        if (!isCurrent()) return;
        this.#paused = false;
        this.#timer?.refresh();
        this.#socket?.resume();
      },
      done: (chunk) => this.#memory.take(chunk),
    };
    return controller;
  }

  #limitTime(ms: number, makeError: () => Error): void {
    clearTimeout(this.#timer);
    if (ms === 0) return;
    this.#timer = setTimeout(() => {
      if (this.#paused) this.#timer?.refresh();
      else this.destroy(makeError());
    }, ms);
  }
}

// As when a server closes an idle connection.
function isCut(error: Error): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(errorCode(error));
}

// Stops waiting early for a response that is not HTTP, or has other line ends.
function isPromising(heading: string, from: number): boolean {
  const opening = 'HTTP/1.1 ';
  for (let lf = heading.indexOf('\n', from); lf >= 0; lf = heading.indexOf('\n', lf + 1)) {
    if (heading[lf - 1] !== '\r') return false;
  }
  return heading.slice(0, opening.length) === opening.slice(0, heading.length);
}
