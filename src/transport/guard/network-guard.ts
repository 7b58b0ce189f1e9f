import { lookup as resolveName } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { parseCidr } from '../../config/documents/cidr.ts';
import { OciError } from '../../model/errors.ts';
import { endpointOf } from '../redact.ts';
import { isLocalName, literalAddress, privateNetworkOf } from './private-networks.ts';

/** All addresses of a name; rejects where it has none. */
type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

interface NetworkGuardOptions {
  /** The registry: who leads us elsewhere. */
  readonly base: URL;
  /** Where it is connected to, in place of what its name resolves to. */
  readonly addresses?: readonly string[] | undefined;
  /** `host` at any port, `host:port`, and networks in CIDR notation, where it may lead all the same. */
  readonly allowPrivate?: readonly string[] | undefined;
  readonly resolve?: Resolve | undefined;
}

/** Judges one place that a registry leads to. */
export interface Visit {
  /** Judges the address or the name that a URL has itself. @throws OciError PROTOCOL */
  admit(): Promise<void>;
  /** Resolves a name, and leaves out every address that may not be connected to. Fails with OciError PROTOCOL where none remains. */
  readonly lookup: LookupFunction;
}

/**
 * Keeps a registry from leading us to what only we can reach: its token server, its redirects, the places of its uploads
 * and of layers kept elsewhere. The address that is judged is the one that is connected to, so a name may resolve to what it
 * likes. A registry that is in a private network itself may lead anywhere.
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

  /** Notes the address at which the registry itself has been reached. */
  met(url: URL, address: string | undefined): void {
    if (address === undefined || url.origin !== this.#options.base.origin) return;
    if (privateNetworkOf(address) === undefined) this.#metPublic = true;
    else this.#metPrivate = true;
  }

  /** @returns Undefined for the registry itself, and for places that the settings name. */
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

  /** By where it was reached; where only a proxy knows that, by what its name resolves to here. */
  async #isPublic(): Promise<boolean> {
    if (this.#metPublic || this.#metPrivate) return this.#metPublic;
    const { base, addresses } = this.#options;
    const literal = literalAddress(base.hostname);
    if (literal !== undefined) return privateNetworkOf(literal) === undefined;
    // A name without a dot is one of a local network's own.
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
        hint: `a registry outside may not send us to what only we can reach; where it is meant to, write allow-private: ['${url.host}'] into config.yaml`,
      },
    );
  }
}

function namesHost(entry: string, url: URL): boolean {
  const named = entry.toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return named === url.hostname || named === `${url.hostname}:${port}`;
}
