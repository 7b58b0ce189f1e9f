import type { AuthProvider } from '../auth/auth-provider.ts';
import { createAuthorizer } from '../auth/authorizer.ts';
import type { ChallengeCache } from '../auth/challenge-cache.ts';
import { createDirectAuthorizer } from '../auth/direct-authorizer.ts';
import type { TokenCache } from '../auth/token-cache.ts';
import type { TokenOptions } from '../auth/token-server.ts';
import type { TlsSettings } from '../certs/tls-settings.ts';
import type { ProxySettings } from '../config/docker/service-keys.ts';
import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { checkNumbers } from '../model/number-options.ts';
import type { Registry } from '../registry/registry.ts';
import { checkTransportNumbers } from '../transport/checked-numbers.ts';
import type { TransportLimits } from '../transport/origins.ts';
import type { RequestTrace } from '../transport/request-trace.ts';
import type { RetryPolicy } from '../transport/retry/retry.ts';
import { createTransport } from '../transport/transport.ts';
import type { Wait } from '../transport/waits.ts';
import { createRemote } from './remote.ts';

/** How a registry is reached. Everything but the address has a default. */
export interface OpenRemoteOptions {
  /** `https://registry.example.com`, optionally with a path before the API's `/v2/`. */
  readonly url: string | URL;
  /** The name in messages and for the {@link AuthProvider}. Default: host[:port] of `url`. */
  readonly name?: string | undefined;
  /** Default: anonymous access, which suffices for public repositories. */
  readonly credentials?: AuthProvider | undefined;
  /** Sends requests without authorisation, and uses no token server: a 401 is an error. Default false. */
  readonly direct?: boolean | undefined;
  /** Authorities, client certificate, and whether the server's certificate must be valid. Default: Node's and the system's. */
  readonly tls?: TlsSettings | undefined;
  /** How long the registry may be silent, and how much it may say. */
  readonly limits?: TransportLimits | undefined;
  /** IP addresses at which the host of `url` is connected to. Default: those that its name resolves to. */
  readonly addresses?: readonly string[] | undefined;
  /** Default: no proxy. */
  readonly proxy?: ProxySettings | undefined;
  /**
   * Where a registry outside may lead us although it is in a private network: `host`, `host:port`, or a network in CIDR
   * notation. Default: nowhere.
   */
  readonly allowPrivate?: readonly string[] | undefined;
  /** Sent with every request to the origin of `url`, and not to other origins that it leads to. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The `User-Agent` header. Default: `ocictl`. */
  readonly userAgent?: string | undefined;
  /** How often and after which waits a request is repeated. */
  readonly retry?: RetryPolicy | undefined;
  /** The API is at the path of `url` itself, without `v2/` below it. Default false. */
  readonly overridePath?: boolean | undefined;
  /** Added to queries as `ns=`: the registry that a proxy of many registries is asked for. */
  readonly namespace?: string | undefined;
  /** Told of every attempt of every request. Nothing in it is secret. */
  readonly trace?: ((event: RequestTrace) => void) | undefined;
  /** Told when the server has sent nothing or could not be reached for a while, once until something moves again. */
  readonly onWait?: ((event: Wait) => void) | undefined;
  /** How tokens are asked for. */
  readonly tokens?: TokenOptions | undefined;
  /** Default: one of its own, in memory. */
  readonly tokenCache?: TokenCache | undefined;
  /** Default: one of its own, in memory. */
  readonly challengeCache?: ChallengeCache | undefined;
  /** What it is used for: before a push, a read that is refused is no word about a pull. Default `pull`. */
  readonly intent?: 'pull' | 'push' | undefined;
  /** Bytes of a chunk, where an upload must be cut. Default 8 MiB. */
  readonly uploadChunkBytes?: number | undefined;
  /** Bytes of a manifest that is read at most. Default 4 MiB. */
  readonly maxManifestBytes?: number | undefined;
  /** Told every text that the registry warns with, once. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** A registry over HTTP, with its connections. */
export interface RemoteRegistry extends Registry, AsyncDisposable {
  /** Closes its connections. The registry cannot be used afterwards. */
  close(): Promise<void>;
}

const openRemoteShape: Shape<OpenRemoteOptions> = {
  url: ['string', 'object'],
  name: 'string',
  credentials: 'object',
  direct: 'boolean',
  tls: 'object',
  limits: 'object',
  addresses: 'array',
  proxy: 'object',
  allowPrivate: 'array',
  headers: 'object',
  userAgent: 'string',
  retry: 'object',
  overridePath: 'boolean',
  namespace: 'string',
  trace: 'function',
  onWait: 'function',
  tokens: 'object',
  tokenCache: 'object',
  challengeCache: 'object',
  intent: 'string',
  uploadChunkBytes: 'number',
  maxManifestBytes: 'number',
  onWarning: 'function',
};

/**
 * Opens a registry at an address with these options only: it reads no files and variables. Docker's settings for
 * mirrors, certificates and credentials are applied by the registry service. Sends nothing before the first call.
 *
 * @throws OciError USAGE if the URL is not an address of a registry.
 */
export function openRemote(options: OpenRemoteOptions): RemoteRegistry {
  checkOptions('openRemote', options, openRemoteShape, ['url']);
  const { url, credentials, direct = false, ...rest } = options;
  checkNumbers(rest, { uploadChunkBytes: 1, maxManifestBytes: 1 });
  checkTransportNumbers(rest);
  const base = parseBase(url);
  const name = options.name ?? base.host;
  const transport = createTransport({ ...rest, base });
  const authorizer = direct
    ? createDirectAuthorizer(name)
    : createAuthorizer({
        ...rest,
        transport,
        credentials: async (opts) => credentials?.get(name, opts),
        registry: name,
      });
  const close = (): Promise<void> => transport.close();
  return { ...createRemote({ ...rest, name, transport, authorizer }), close, [Symbol.asyncDispose]: close };
}

// The URL is not quoted: it may contain a password.
function parseBase(url: string | URL): URL {
  const hint = 'write https://registry.example.com, and give user and password as credentials';
  if (!URL.canParse(String(url))) throw new OciError('USAGE', 'the address of a registry is not a URL', { hint });
  const base = new URL(url);
  if (base.protocol !== 'https:' && base.protocol !== 'http:') {
    throw new OciError('USAGE', 'the address of a registry begins with https:// or http://', { hint });
  }
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new OciError('USAGE', 'the address of a registry has neither user, password, query nor fragment', { hint });
  }
  return base;
}
