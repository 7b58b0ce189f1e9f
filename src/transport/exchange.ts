import { setMaxListeners } from 'node:events';
import type { Dispatcher } from 'undici';
import { whenAborted } from '../model/signals/when-aborted.ts';
import { ResponseBody } from './body.ts';
import { networkError } from './failures.ts';
import type { HttpBody, HttpHeaders, HttpMethod } from './http.ts';
import { SilenceWatch } from './waits.ts';

/** One request, ready to be sent. */
interface Exchange {
  readonly method: HttpMethod;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly headersTimeoutMs: number;
  /** Directory for certificates of the host, for hints. */
  readonly certsDir?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Called when the server has been silent for this long although it was its turn. */
  readonly onSilence?: { readonly afterMs: number; readonly tell: () => void } | undefined;
}

/** Up to this size a body is sent at once. For a larger one it is unknown how much is still on its way. */
const smallBodyBytes = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: HttpBody;
}

/**
 * Sends one request, and resolves with the headers of its response. The signal also applies to the body. A response
 * that arrives while the request's body is being sent (413, 401) resolves at once.
 *
 * @throws OciError made by networkError, the error of the request's body, or the signal's reason.
 */
export function exchange(dispatcher: Pick<Dispatcher, 'dispatch'>, request: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, url, headers, headersTimeoutMs, certsDir, signal } = request;
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
    const { onSilence } = request;
    const sentAtOnce = request.body === undefined || (request.body as Uint8Array).length <= smallBodyBytes;
    let waits = sentAtOnce;
    const watch = onSilence && new SilenceWatch(onSilence.afterMs, () => state.body?.starved ?? waits, onSilence.tell);
    const settle = (): void => {
      watch?.stop();
      stopListening();
    };
    // Requests in any number share a signal, and Node warns of more than ten listeners as of a leak.
    if (signal) setMaxListeners(0, signal);
    const stopListening = whenAborted(signal, onAbort);
    const body: unknown =
      request.body && !(request.body instanceof Uint8Array)
        ? own(request.body, state, () => {
            waits = true;
            watch?.moved();
          })
        : request.body;
    const options: Dispatcher.DispatchOptions = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...headers },
      body: (body ?? null) as Uint8Array | null,
      // undici closes the connection after a HEAD, because some servers send a body with it. Ours must not be closed.
      ...(method === 'HEAD' && { reset: false }),
      headersTimeout: headersTimeoutMs,
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        state.controller = controller;
        if (state.failure) controller.abort(asError(state.failure.error));
      },
      onResponseStart(controller, status, responseHeaders) {
        if (status < 200) return;
        state.body = new ResponseBody(controller, url, settle);
        watch?.moved();
        resolve({ status, headers: responseHeaders, body: state.body });
      },
      onResponseData(_controller, chunk) {
        state.body?.push(chunk);
        watch?.moved();
      },
      onResponseEnd() {
        state.body?.end();
      },
      onResponseError(_controller, error) {
        if (state.body) return state.body.fail(error);
        settle();
        reject(state.failure ? state.failure.error : networkError(error, url, certsDir));
      },
    };
    try {
      dispatcher.dispatch(options, handler);
    } catch (error) {
      settle();
      reject(networkError(error, url, certsDir));
    }
  });
}

// An error of the request's body must not be taken for a network failure.
async function* own(
  body: AsyncIterable<Uint8Array>,
  state: { failure?: { error: unknown } },
  sent: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
    sent();
  } catch (error) {
    state.failure ??= { error };
    throw error;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
