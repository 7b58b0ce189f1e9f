/** TLS contexts: our certificate, and the anchors that a server's certificate is verified with. */
import { createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
import { endOfCertificate } from '../../certs/roots.ts';
import type { TlsSettings } from '../../certs/tls-settings.ts';

interface ClientPair {
  readonly cert: string;
  readonly key: string;
}

const oldest = { minVersion: 'TLSv1.2' } as const;

const contexts = new WeakMap<readonly string[], SecureContext>();

/**
 * A context with one collection of anchors; undefined: Node's own. Those are not passed as `ca`: Node 20 would then ignore
 * NODE_EXTRA_CA_CERTS.
 */
export function contextOf(roots: readonly string[] | undefined, client: ClientPair | undefined): SecureContext {
  const known = roots && !client && contexts.get(roots);
  if (known) return known;
  // As in Go, a given certificate is a trust anchor, even an intermediate or the server's own.
  const trust = roots && { ca: [...roots], allowPartialTrustChain: true };
  const made = createSecureContext({ ...oldest, ...client, ...trust });
  if (roots && !client) contexts.set(roots, made);
  return made;
}

/** A context for servers that are not verified. Without any roots, which Node 20 reads for 20 ms. */
export function contextWithoutRoots(client: ClientPair | undefined): SecureContext {
  return createSecureContext({ ...oldest, ...client, ca: [] });
}

/** Node's contexts have these methods, the last since 20.18, and no public ones that add to the default roots. */
interface Anchors {
  addCACert(pem: string): void;
  addRootCerts(): void;
  setAllowPartialTrustChain(): void;
}

function anchorsOf({ context }: SecureContext & { readonly context?: Partial<Anchors> }): Anchors | undefined {
  const { addCACert, addRootCerts, setAllowPartialTrustChain } = context ?? {};
  return addCACert && addRootCerts && setAllowPartialTrustChain ? (context as Anchors) : undefined;
}

/**
 * A context with all anchors in one store. Joining costs no time: Node reads its own roots for any store, which takes 20 ms. All
 * can be read while a handshake is under way, because OpenSSL looks into the store when the certificate has come.
 */
export class JoinedRoots {
  readonly context: SecureContext;
  readonly #anchors: Anchors;
  readonly #hosts: readonly string[];
  readonly #readSystem: (() => Promise<readonly string[]>) | undefined;
  #system: readonly string[] = [];
  #adding: Promise<void> | undefined;
  #isFilled = false;
  #isComplete: boolean;

  /** @returns Undefined if this Node has no way to add to its roots. */
  static of({ ca = [], systemRoots }: TlsSettings, client: ClientPair | undefined): JoinedRoots | undefined {
    // What OpenSSL sends with a client certificate is looked for among the anchors when the context is made.
    const context = createSecureContext({ ...oldest, ...client, ...(!client && { ca: [] }) });
    const anchors = anchorsOf(context);
    return anchors && new JoinedRoots(context, anchors, ca, systemRoots, client !== undefined);
  }

  private constructor(
    context: SecureContext,
    anchors: Anchors,
    hosts: readonly string[],
    readSystem: (() => Promise<readonly string[]>) | undefined,
    hasRoots: boolean,
  ) {
    this.context = context;
    this.#anchors = anchors;
    this.#hosts = hosts;
    this.#readSystem = readSystem;
    this.#isComplete = readSystem === undefined;
    if (hasRoots) this.#join();
  }

  /** Whether the system's roots are in it. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Adds all but the system's, once. Call it before the server's certificate is read. */
  fill(): void {
    if (this.#isFilled) return;
    this.#anchors.addRootCerts();
    this.#join();
  }

  /** Adds the system's roots. @throws what the reader of them throws. */
  complete(): Promise<void> {
    this.#adding ??= this.#addSystem();
    return this.#adding;
  }

  /** The collection that a verified certificate fits. It only decides what is read first the next time. */
  fitting(socket: TLSSocket): 'host' | 'node' | 'system' {
    const chain = chainOf(socket);
    const names = (pem: string): boolean => chain.has(endOfCertificate(pem));
    if (this.#hosts.some(names)) return 'host';
    return this.#system.some(names) ? 'system' : 'node';
  }

  async #addSystem(): Promise<void> {
    this.#system = (await this.#readSystem?.()) ?? [];
    // First, because Node's own replace what is there.
    this.fill();
    this.#add(this.#system);
    this.#isComplete = true;
  }

  #join(): void {
    this.#isFilled = true;
    this.#anchors.setAllowPartialTrustChain();
    this.#add(this.#hosts);
  }

  #add(roots: readonly string[]): void {
    for (const pem of roots) this.#anchors.addCACert(pem);
  }
}

/** The ends of the certificates from the server's to the last that is known. */
function chainOf(socket: TLSSocket): ReadonlySet<string> {
  const chain = new Set<string>();
  let at: PeerCertificate | undefined = socket.getPeerCertificate(true);
  for (let size = -1; at?.raw && size < chain.size; ) {
    size = chain.size;
    chain.add(endOfCertificate(at.raw.toString('base64')));
    at = (at as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return chain;
}
