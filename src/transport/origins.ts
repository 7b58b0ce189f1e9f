import { type buildConnector, Pool } from 'undici';
import { OciError } from '../model/errors.ts';

/** TLS towards one registry. */
export interface TlsSettings {
  /** PEM; the complete list of roots. Node's own where absent. */
  readonly ca?: readonly string[];
  /** PEM of the client certificate. */
  readonly cert?: string;
  /** PEM of its key. */
  readonly key?: string;
  /** Default true. */
  readonly verify?: boolean;
}

export interface TransportLimits {
  /** Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** To the headers of an answer. Default 60 000. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of a body. Default 60 000. */
  readonly idleTimeoutMs?: number;
  /** Default 15 000. */
  readonly keepAliveMs?: number;
  /** Headers of an answer, in bytes. Default 64 KiB: Google Artifact Registry sends 21 KB. */
  readonly headerBytes?: number;
}

/** The connections of a transport: one pool for each origin, and one more for the base's visits as a stranger. */
export class Origins {
  readonly #pools = new Map<string, Pool>();
  readonly #base: URL;
  readonly #tls: TlsSettings;
  readonly #limits: TransportLimits;
  #closed = false;

  constructor(base: URL, tls: TlsSettings = {}, limits: TransportLimits = {}) {
    this.#base = base;
    this.#tls = tls;
    this.#limits = limits;
  }

  pool(url: URL, anonymous: boolean): Pool {
    if (this.#closed) throw new OciError('NETWORK', `${url.host}: the transport is closed`, { retryable: false });
    const ownCertificate = !anonymous && url.origin === this.#base.origin;
    const name = `${ownCertificate ? 'own' : 'other'} ${url.origin}`;
    const known = this.#pools.get(name);
    if (known) return known;
    const pool = this.#open(url, ownCertificate);
    this.#pools.set(name, pool);
    return pool;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #open(url: URL, ownCertificate: boolean): Pool {
    const { connectTimeoutMs = 10_000, headersTimeoutMs = 60_000, idleTimeoutMs = 60_000 } = this.#limits;
    const { keepAliveMs = 15_000, headerBytes = 64 * 1024 } = this.#limits;
    return new Pool(url.origin, {
      // Blobs over HTTP/2 stall behind each other in one connection (undici#4705).
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: idleTimeoutMs,
      maxHeaderSize: headerBytes,
      connect: {
        timeout: connectTimeoutMs,
        autoSelectFamily: true,
        // Node's 250 ms give up on slow links.
        autoSelectFamilyAttemptTimeout: 1500,
        ...(url.protocol === 'https:' && this.#tlsOptions(url, ownCertificate)),
      },
    });
  }

  // The certificate authenticates us: it is for the base alone. Verification is given up for a host, whatever its port.
  #tlsOptions(url: URL, ownCertificate: boolean): Partial<buildConnector.BuildOptions> {
    const { ca, cert, key, verify = true } = this.#tls;
    return {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: verify || url.hostname !== this.#base.hostname,
      ...(ca && { ca: [...ca] }),
      ...(ownCertificate && cert !== undefined && { cert }),
      ...(ownCertificate && key !== undefined && { key }),
    };
  }
}
