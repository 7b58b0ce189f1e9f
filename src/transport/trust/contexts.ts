/** TLS contexts: our certificate, and the anchors that a server's certificate is verified with. */
import { createSecureContext, type PeerCertificate, type SecureContext, type TLSSocket } from 'node:tls';
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

/** Node's context has this method since 0.12, and no public one that adds to the default roots. */
type Extensible = SecureContext & { readonly context?: { readonly addCACert?: (pem: string) => void } };

/**
 * A context with all anchors in one store. Joining costs no time: Node reads its own roots for any store. The system's
 * can be added while a handshake is under way, because OpenSSL looks into the store when the certificate has come.
 */
export class JoinedRoots {
  readonly context: SecureContext;
  readonly #hosts: readonly string[];
  readonly #readSystem: (() => Promise<readonly string[]>) | undefined;
  #system: readonly string[] = [];
  #adding: Promise<void> | undefined;
  #isComplete: boolean;

  /** @returns Undefined if this Node has no way to add to its roots. */
  static of({ ca = [], systemRoots }: TlsSettings, client: ClientPair | undefined): JoinedRoots | undefined {
    const context: Extensible = createSecureContext({ ...oldest, ...client, allowPartialTrustChain: true });
    if (typeof context.context?.addCACert !== 'function') return undefined;
    return new JoinedRoots(context, ca, systemRoots);
  }

  private constructor(
    context: SecureContext,
    hosts: readonly string[],
    readSystem: (() => Promise<readonly string[]>) | undefined,
  ) {
    this.context = context;
    this.#hosts = hosts;
    this.#readSystem = readSystem;
    this.#isComplete = readSystem === undefined;
    this.#add(hosts);
  }

  /** Whether the system's roots are in it. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Adds the system's roots. @throws what the reader of them throws. */
  complete(): Promise<void> {
    this.#adding ??= this.#addSystem();
    return this.#adding;
  }

  /** The collection that a verified certificate fits. It only decides what is read first the next time. */
  fitting(socket: TLSSocket): 'host' | 'node' | 'system' {
    const chain = chainOf(socket);
    const names = (pem: string): boolean => chain.has(bare(pem));
    if (this.#hosts.some(names)) return 'host';
    return this.#system.some(names) ? 'system' : 'node';
  }

  async #addSystem(): Promise<void> {
    this.#system = (await this.#readSystem?.()) ?? [];
    this.#add(this.#system);
    this.#isComplete = true;
  }

  #add(roots: readonly string[]): void {
    const { context } = this.context as Extensible;
    for (const pem of roots) context?.addCACert?.(pem);
  }
}

/** The certificates from the server's to the last that is known, in base64. */
function chainOf(socket: TLSSocket): ReadonlySet<string> {
  const chain = new Set<string>();
  let at: PeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.raw && !chain.has(at.raw.toString('base64'))) {
    chain.add(at.raw.toString('base64'));
    at = (at as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return chain;
}

function bare(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s+/g, '');
}
