/** How a server stops: unready first, then no new connections, and cut only what takes too long. */
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { Connections } from '../http/connections.ts';
import type { Exchange, ServerState } from '../http/exchange.ts';
import type { StopOptions, Stopped } from '../options.ts';

/** How long idle connections on which a request may be under way stay open. Their answers close them. */
const lingerMs = 2_000;

interface Served {
  readonly server: Server | TlsServer;
  readonly state: ServerState;
  readonly connections: Connections;
  readonly running: ReadonlyMap<Exchange, Promise<void>>;
}

/** @returns The server's `stop`. */
export function stopper(served: Served): (opts?: StopOptions) => Promise<Stopped> {
  const { server, state, running } = served;
  const cutting = new AbortController();
  let closed: Promise<void> | undefined;
  let cut = 0;
  return async ({ graceMs = 10_000, unreadyMs = 0 } = {}) => {
    state.stopping = true;
    // What still waits for a password to be compared then would not get its answer in time either.
    const refuse = setTimeout(() => {
      state.endsLogins = true;
      for (const exchange of running.keys()) exchange.endLogin();
    }, graceMs / 2);
    const cutter = setTimeout(() => {
      cut = running.size;
      cutting.abort();
      server.closeAllConnections();
    }, graceMs);
    closed ??= drain(served, unreadyMs, cutting.signal);
    await closed;
    clearTimeout(refuse);
    clearTimeout(cutter);
    await Promise.all(running.values());
    return { cut };
  };
}

async function drain({ server, state, connections }: Served, unreadyMs: number, cutting: AbortSignal): Promise<void> {
  if (unreadyMs > 0 && state.readiness.isWatched) await passed(unreadyMs, cutting);
  // Not `server.close()`, which also closes idle connections: a proxy may just be sending a request on one of them.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  if (connections.mayBeUsed(state.isProxy)) await Promise.race([closed, passed(lingerMs, cutting)]);
  state.closesIdle = true;
  // Ends its timers, and idle connections.
  server.close();
  if (cutting.aborted) server.closeAllConnections();
  await closed;
}

function passed(ms: number, cutting: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (cutting.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    cutting.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
