/**
 * Calls a function when a signal aborts.
 *
 * A signal that many requests share must not be listened to in any other way: Node's list of listeners is linked, and one that
 * was removed still points at the next one. Until V8 collects old objects, each request would keep all later ones, with
 * whatever their listeners see. So the listener sees the function alone, and not even that once it is removed.
 *
 * @returns Removes the listener.
 */
export function whenAborted(signal: AbortSignal | undefined, call: () => void): () => void {
  if (!signal) return () => {};
  const link: { call: (() => void) | undefined } = { call };
  const listener = (): void => link.call?.();
  signal.addEventListener('abort', listener, { once: true });
  return () => {
    link.call = undefined;
    signal.removeEventListener('abort', listener);
  };
}

/**
 * Waits for a promise no longer than until a signal aborts. What was waited for goes on, as others may share it.
 *
 * @throws The signal's reason, also if it has aborted already; else what the promise rejects with.
 */
export async function unlessAborted<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return running;
  running.catch(() => {}); // nothing awaits it once the signal has aborted
  signal.throwIfAborted();
  let remove = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    remove = whenAborted(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([running, aborted]);
  } finally {
    remove();
  }
}
