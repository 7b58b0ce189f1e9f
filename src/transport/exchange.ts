import type { Dispatcher } from 'undici';
import { ResponseBody } from './body.ts';
import { networkError } from './failures.ts';
import type { HttpBody, HttpHeaders, HttpMethod } from './http.ts';

/** One request on the wire: everything is decided. */
export interface Exchange {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly headersTimeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: HttpBody;
}

/**
 * Sends one request and resolves with its answer's headers; the signal rules over the body as well. An answer that
 * comes while the request's body is still being sent (413, 401) resolves at once.
 *
 * @throws OciError as networkError makes it, what the request's own body threw, or the signal's reason.
 */
export function exchange(dispatcher: Dispatcher, request: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, url, headers, headersTimeoutMs, signal } = request;
    if (signal?.aborted) return reject(signal.reason);
    const state: { controller?: Dispatcher.DispatchController; body?: ResponseBody; failure?: { error: unknown } } = {};
    const onAbort = (): void => {
      if (state.body) {
        state.body.abort(signal?.reason);
        return;
      }
      settle();
      state.failure = { error: signal?.reason };
      state.controller?.abort(asError(signal?.reason));
      reject(signal?.reason);
    };
    const settle = (): void => signal?.removeEventListener('abort', onAbort);
    signal?.addEventListener('abort', onAbort, { once: true });
    const body: unknown =
      request.body && !(request.body instanceof Uint8Array) ? own(request.body, state) : request.body;
    const options: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...headers },
      body: (body ?? null) as Uint8Array | null,
      // undici closes the connection after a HEAD, for servers that send a body with it; none of ours may.
      ...(method === 'HEAD' && { reset: false }),
      ...(headersTimeoutMs !== undefined && { headersTimeout: headersTimeoutMs }),
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        state.controller = controller;
        if (state.failure) controller.abort(asError(state.failure.error));
      },
      onResponseStart(controller, status, responseHeaders) {
        if (status < 200) return;
        state.body = new ResponseBody(controller, url, settle);
        resolve({ status, headers: responseHeaders, body: state.body });
      },
      onResponseData(_controller, chunk) {
        state.body?.push(chunk);
      },
      onResponseEnd() {
        state.body?.end();
      },
      onResponseError(_controller, error) {
        if (state.body) return state.body.fail(error);
        settle();
        reject(state.failure ? state.failure.error : networkError(error, url));
      },
    };
    try {
      dispatcher.dispatch(options, handler);
    } catch (error) {
      settle();
      reject(networkError(error, url));
    }
  });
}

// What a request's own body throws must not be taken for a failure of the network.
async function* own(
  body: AsyncIterable<Uint8Array>,
  state: { failure?: { error: unknown } },
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    state.failure ??= { error };
    throw error;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
