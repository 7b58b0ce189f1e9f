import type { ClientHttp2Stream } from 'node:http2';
import type { Dispatcher } from 'undici';
import { coded, errorCode } from '../error-code.ts';
import type { ConnectionLimits } from '../reads/connection.ts';
import type { StreamRequest } from './request.ts';

/** A request with what happens to its answer. */
export interface StreamJob {
  readonly request: StreamRequest;
  readonly headersTimeoutMs: number;
  readonly handler: Dispatcher.DispatchHandler;
}

/**
 * How an exchange has ended. `unusual`: the answer is one that HTTP/1.1 has to give; `unprocessed`: the server says that it did
 * nothing; `unanswered`: it failed, and may be sent again. Of these three nothing was passed on. `broken`: an error was passed on.
 */
export type Outcome = 'answered' | 'cancelled' | 'unusual' | 'unprocessed' | 'unanswered' | 'broken';

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-7 */
const refusedStream = 7;
const cancel = 8;

/** One request and its response on a stream. */
export class StreamExchange {
  readonly #stream: ClientHttp2Stream;
  readonly #job: StreamJob;
  readonly #limits: ConnectionLimits;
  readonly #ended: (outcome: Outcome) => void;
  readonly #controller: Dispatcher.DispatchController;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  /** Ends the wait until a piece of the body is sent. */
  #goOn: (() => void) | undefined;
  /** Bytes of the body that are still to come; undefined before the head, NaN if that is not told. */
  #missing: number | undefined;

  /** @param ended Called once. */
  constructor(stream: ClientHttp2Stream, job: StreamJob, limits: ConnectionLimits, ended: (outcome: Outcome) => void) {
    this.#stream = stream;
    this.#job = job;
    this.#limits = limits;
    this.#ended = ended;
    this.#controller = this.#makeController();
    stream.on('error', () => this.#fail(coded('UND_ERR_SOCKET')));
    stream.on('close', () => this.#fail(coded('UND_ERR_SOCKET')));
    // Node also gives the fields as they came, which its types do not say.
    stream.on('response', (...[, , raw]: unknown[]) => this.#head(raw as readonly string[]));
  }

  /** Sends the request. */
  start(): void {
    this.#limitTime(this.#job.headersTimeoutMs, 'UND_ERR_HEADERS_TIMEOUT');
    this.#job.handler.onRequestStart?.(this.#controller, undefined);
    const { body, bodyBytes } = this.#job.request;
    if (this.#isOver || bodyBytes === 0) return;
    if (body instanceof Uint8Array) this.#stream.end(body);
    else void this.#sendPieces(body);
  }

  async #sendPieces(body: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of body) {
        // Its memory is used again for the next one.
        await new Promise<void>((resolve) => {
          this.#goOn = resolve;
          this.#stream.write(piece, () => resolve());
        });
        this.#timer?.refresh();
        if (this.#isOver) return;
      }
      this.#stream.end();
    } catch (error) {
      this.#abort(error as Error);
    }
  }

  #head(raw: readonly string[]): void {
    const { handler, request } = this.#job;
    const method = request.headers[':method'];
    const { status, headers } = parseHead(raw);
    const length = headers['content-length'];
    // A stream that the server resets without an error looks like one that has ended: only the length tells.
    const isDoubtful = method === 'GET' && length === undefined && (status === 200 || status === 206);
    if (isDoubtful && !this.#isOver) this.#end('unusual');
    if (this.#isOver) return;
    const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
    this.#missing = hasBody ? Number(length ?? Number.NaN) : 0;
    this.#limitTime(this.#limits.idleTimeoutMs, 'UND_ERR_BODY_TIMEOUT');
    handler.onResponseStart?.(this.#controller, status, headers);
    if (this.#isOver) return;
    this.#stream.on('data', (chunk: Buffer) => this.#data(chunk));
    this.#stream.on('end', () => this.#bodyEnded());
  }

  #data(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#timer?.refresh();
    this.#missing = (this.#missing ?? 0) - chunk.length;
    this.#job.handler.onResponseData?.(this.#controller, chunk);
  }

  #bodyEnded(): void {
    const isWhole = this.#missing === 0 || Number.isNaN(this.#missing);
    if (!isWhole) this.#fail(coded('UND_ERR_SOCKET'));
    if (this.#isOver) return;
    // A server may answer before it has read the whole request.
    if (this.#stream.writableEnded) this.#over('answered');
    else this.#end('answered');
    this.#job.handler.onResponseEnd?.(this.#controller, {});
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    const outcome = this.#missing === undefined && isCut(error) ? this.#unanswered() : 'broken';
    this.#end(outcome);
    if (outcome === 'broken') this.#job.handler.onResponseError?.(this.#controller, error);
  }

  /** What follows from a stream that has ended before an answer. */
  #unanswered(): Outcome {
    const { headers, body } = this.#job.request;
    // Without a number it was not sent.
    const isRefused = this.#stream.rstCode === refusedStream || this.#stream.id === undefined;
    if (isRefused && body instanceof Uint8Array) return 'unprocessed';
    return headers[':method'] === 'GET' || headers[':method'] === 'HEAD' ? 'unanswered' : 'broken';
  }

  #abort(reason: Error): void {
    if (this.#isOver) return;
    this.#end('cancelled');
    this.#job.handler.onResponseError?.(this.#controller, reason);
  }

  #end(outcome: Outcome): void {
    this.#over(outcome);
    if (!this.#stream.destroyed) this.#stream.close(cancel);
  }

  #over(outcome: Outcome): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#goOn?.();
    this.#ended(outcome);
  }

  #makeController(): Dispatcher.DispatchController {
    const controller: Dispatcher.DispatchController = {
      aborted: false,
      paused: false,
      reason: null,
      abort: (reason) => this.#abort(reason),
      pause: () => void this.#stream.pause(),
      resume: () => {
        this.#timer?.refresh();
        this.#stream.resume();
      },
    };
    return controller;
  }

  #limitTime(ms: number, code: `UND_ERR_${string}`): void {
    clearTimeout(this.#timer);
    if (ms === 0) return;
    this.#timer = setTimeout(() => {
      // Then it is the reader who takes time.
      if (this.#missing !== undefined && this.#stream.isPaused()) this.#timer?.refresh();
      else this.#fail(coded(code));
    }, ms);
  }
}

function isCut(error: Error): boolean {
  return errorCode(error) === 'UND_ERR_SOCKET';
}

/** Status and fields as HTTP/1.1 has them: a field that occurs several times is a list. */
function parseHead(raw: readonly string[]): { status: number; headers: Record<string, string | string[]> } {
  const headers: Record<string, string | string[]> = Object.create(null);
  let status = 0;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]];
    const earlier = headers[name];
    if (name === ':status') status = Number(value);
    else if (earlier === undefined) headers[name] = value;
    else if (Array.isArray(earlier)) earlier.push(value);
    else headers[name] = [earlier, value];
  }
  return { status, headers };
}
