import { lookup as resolveName } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { parseCidr } from '../../config/documents/cidr.ts';
import type { HostRecord } from '../../host-facts/host-facts.ts';
import { OciError } from '../../model/errors.ts';
import { endpointOf } from '../redact.ts';
import { isLocalName, literalAddress, privateNetworkOf } from './private-networks.ts';

/** All addresses of a host name; rejects if there are none. */
type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

interface NetworkGuardOptions {
  /** The registry, which may lead us elsewhere. */
  readonly base: URL;
  /** Its addresses, instead of those of its name. */
  readonly addresses?: readonly string[] | undefined;
  /** Allowed private targets: `host` at any port, `host:port`, and networks in CIDR notation. */
  readonly allowPrivate?: readonly string[] | undefined;
  /** What was learned of the registry, which may lead somewhere before it is connected to. */
  readonly facts?: HostRecord | undefined;
  readonly resolve?: Resolve | undefined;
}

/** Checks one target to which a registry leads. */
export interface Visit {
  /** Checks a URL whose host is an address or a local name. @throws OciError PROTOCOL */
  admit(): Promise<void>;
  /** Resolves a name without the addresses that are not allowed. Fails with OciError PROTOCOL if none remains. */
  readonly lookup: LookupFunction;
}

/**
 * Prevents a public registry from leading us to private addresses, by its token server, redirects, upload locations or
 * URLs of foreign layers. The address that is checked is the one that is connected to, so a name may resolve to
 * anything. A registry that is itself in a private network may lead anywhere.
 */
export class NetworkGuard {
  readonly #options: NetworkGuardOptions;
  readonly #resolve: Resolve;
  #metPublic = false;
  #metPrivate = false;

  constructor(options: NetworkGuardOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? ((hostname) => resolveName(hostname, { all: true }));
  }

  /** Records the address at which the registry itself was reached. */
  met(url: URL, address: string | undefined): void {
    if (address === undefined || url.origin !== this.#options.base.origin) return;
    const isPublic = privateNetworkOf(address) === undefined;
    if (isPublic) this.#metPublic = true;
    else this.#metPrivate = true;
    const { facts } = this.#options;
    if (isPublic || facts?.known.isPublic) facts?.learn({ isPublic });
  }

  /** @returns Undefined for the registry itself, and for targets that the settings allow. */
  visit(url: URL): Visit | undefined {
    const { base, allowPrivate = [] } = this.#options;
    if (url.origin === base.origin || allowPrivate.some((entry) => namesHost(entry, url))) return undefined;
    return {
      admit: () => this.#admit(url),
      lookup: (hostname, { all }, callback) => {
        this.#addresses(hostname, url).then(
          (found) => {
            const [first] = found;
            if (all) callback(null, [...found]);
            else callback(null, first?.address ?? '', first?.family);
          },
          (error: NodeJS.ErrnoException) => callback(error, []),
        );
      },
    };
  }

  async #admit(url: URL): Promise<void> {
    const address = literalAddress(url.hostname);
    const network = address === undefined ? isLocalName(url.hostname) && 'this machine' : privateNetworkOf(address);
    if (!network || this.#isAllowed(address)) return;
    if (await this.#isPublic()) throw this.#refusal(url, address, network);
  }

  async #addresses(hostname: string, url: URL): ReturnType<Resolve> {
    const found = await this.#resolve(hostname);
    const fine = found.filter(({ address }) => privateNetworkOf(address) === undefined || this.#isAllowed(address));
    if (fine.length === found.length || !(await this.#isPublic())) return found;
    const refused = found.find((one) => !fine.includes(one))?.address ?? '';
    if (fine.length === 0) throw this.#refusal(url, refused, privateNetworkOf(refused) ?? '');
    return fine;
  }

  #isAllowed(address: string | undefined): boolean {
    const { allowPrivate = [] } = this.#options;
    return address !== undefined && allowPrivate.some((entry) => parseCidr(entry)?.contains(address));
  }

  /** Whether the registry is public: by the address that was connected to, or, if only a proxy knows that, by its name. */
  async #isPublic(): Promise<boolean> {
    if (this.#metPublic || this.#metPrivate) return this.#metPublic;
    const { base, addresses, facts } = this.#options;
    // Its name may resolve to a private address at this moment, for a token server of a challenge that came from outside.
    if (facts?.known.isPublic) return true;
    const literal = literalAddress(base.hostname);
    if (literal !== undefined) return privateNetworkOf(literal) === undefined;
    // A name without a dot belongs to the local network.
    if (isLocalName(base.hostname) || !base.hostname.includes('.')) return false;
    const known = addresses ?? (await this.#resolve(base.hostname).catch(() => [])).map(({ address }) => address);
    return known.length === 0 || known.some((address) => privateNetworkOf(address) === undefined);
  }

  #refusal(url: URL, address: string | undefined, network: string): OciError {
    const { base } = this.#options;
    const at = address === undefined || literalAddress(url.hostname) === address ? '' : ` at ${address}`;
    return new OciError(
      'PROTOCOL',
      `${base.host} leads to ${url.host}${at}, inside this network (${network}): refused`,
      {
        endpoint: endpointOf(base),
        hint: `a public registry may not lead into a private network; if that is intended, write allow-private: ['${url.host}'] into config.yaml`,
      },
    );
  }
}

function namesHost(entry: string, url: URL): boolean {
  const named = entry.toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return named === url.hostname || named === `${url.hostname}:${port}`;
}
