/** TLS connections: with which trust anchors a handshake is made, and what follows when they do not fit. */
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { areDefaultRootsBuiltIn } from '../../certs/default-roots.ts';
import type { TlsSettings } from '../../certs/tls-settings.ts';
import type { HostRecord } from '../../host-facts/host-facts.ts';
import { type Connect, createDialler, type DialOptions, type Goal } from '../dial.ts';
import { isUnknownAuthority, isUntrusted } from '../tls-failures.ts';
import { contextOf, contextWithoutRoots, JoinedRoots } from './contexts.ts';

interface SecuredOptions extends Omit<DialOptions, 'secure'> {
  /** Whether our client certificate is sent, and `tls.ca` is tried first. */
  readonly own: boolean;
  readonly verify: boolean;
  /** What is known of the host, and where it is noted which anchors fit. */
  readonly facts?: HostRecord | undefined;
  readonly onCertificateRequest?: (() => void) | undefined;
}

/** Makes a connection. Called with a function that makes a goal, once per handshake. */
export type Secured = (makeGoal: () => Promise<Goal>) => Promise<Socket>;

/**
 * TLS with the host's own anchors, Node's and the system's. What one collection accepts is accepted, and nothing else. All in
 * one store make one handshake enough; where that would accept more, one collection is tried after the other.
 */
export function secured(tls: TlsSettings, options: SecuredOptions): Secured {
  const { own, verify, facts, onCertificateRequest, ...socket } = options;
  const { ca, cert, key, systemRoots } = tls;
  const client = own && cert !== undefined && key !== undefined ? { cert, key } : undefined;
  const dialler = (context: SecureContext, onHello?: () => void): Connect =>
    createDialler({ ...socket, secure: { context, verify, onHello, onCertificateRequest } });
  if (!verify) {
    const connect = once(async () => dialler(contextWithoutRoots(client)));
    return async (makeGoal) => (await connect())(await makeGoal());
  }
  const alone = {
    host: ca && once(async () => dialler(contextOf(ca, client))),
    node: once(async () => dialler(contextOf(undefined, client))),
    system: systemRoots && once(async () => dialler(contextOf(await systemRoots(), client))),
  };
  const joined = once(async () => {
    const roots = JoinedRoots.of(tls, client);
    return roots && { roots, connect: dialler(roots.context, () => fill(roots)) };
  });
  const canJoin = areDefaultRootsBuiltIn();
  const order = own ? (['host', 'node', 'system'] as const) : (['node', 'host', 'system'] as const);
  let fitting: 'host' | 'node' | 'system' | undefined;
  const learn = (roots: 'host' | 'node' | 'system'): void => {
    fitting = roots;
    facts?.learn({ roots });
  };
  const fill = (roots: JoinedRoots): void => {
    roots.fill();
    const known = facts?.known.roots ?? fitting;
    // If they cannot be read, that is an error only where they are needed.
    if (known === undefined || known === 'system') roots.complete().catch(() => {});
  };
  return async (makeGoal) => {
    const failures = new Failures();
    const known = facts?.known.roots ?? fitting;
    const together = canJoin ? await joined() : undefined;
    if (together) {
      const { roots, connect } = together;
      for (let isLast = false; !isLast; ) {
        if (failures.found) await roots.complete();
        isLast = roots.isComplete;
        const made = await failures.unlessUntrusted(connect, makeGoal);
        if (made && (known === undefined || failures.found)) learn(roots.fitting(made as TLSSocket));
        if (made) return made;
        // An authority of the same name may hide the right one in a joined store, but not where each is alone.
        if (!failures.onlyUnknown) break;
      }
      if (failures.onlyUnknown) throw failures.found;
    }
    const first = order.filter((name) => name === known);
    for (const name of [...first, ...order.filter((other) => other !== known)]) {
      const connect = await alone[name]?.();
      const made = connect && (await failures.unlessUntrusted(connect, makeGoal));
      if (made) learn(name);
      if (made) return made;
    }
    throw failures.found;
  };
}

/** Handshakes that failed because a certificate is not trusted. */
class Failures {
  #found: unknown;
  #onlyUnknown = true;

  /** The error to report: one from a store that knows the authority is more specific. */
  get found(): unknown {
    return this.#found;
  }

  /** Whether no store knew the authority. */
  get onlyUnknown(): boolean {
    return this.#onlyUnknown;
  }

  /** @returns Undefined if other anchors may fit. @throws any other error of the connection. */
  async unlessUntrusted(connect: Connect, makeGoal: () => Promise<Goal>): Promise<Socket | undefined> {
    try {
      return await connect(await makeGoal());
    } catch (error) {
      if (!isUntrusted(error)) throw error;
      if (this.#found === undefined || isUnknownAuthority(this.#found)) this.#found = error;
      this.#onlyUnknown &&= isUnknownAuthority(error);
      return undefined;
    }
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
