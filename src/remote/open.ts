import type { AuthProvider } from '../auth/auth-provider.ts';
import { createAuthorizer } from '../auth/authorizer.ts';
import type { AuthorizerOptions } from '../auth/contract.ts';
import { createDirectAuthorizer } from '../auth/direct-authorizer.ts';
import { OciError } from '../model/errors.ts';
import { checkNumbers } from '../model/number-options.ts';
import type { Registry } from '../registry/registry.ts';
import { checkTransportNumbers } from '../transport/checked-numbers.ts';
import { createTransport, type TransportOptions } from '../transport/transport.ts';
import { createRemote, type RemoteOptions } from './remote.ts';

export interface OpenRemoteOptions
  extends Omit<TransportOptions, 'base'>,
    Pick<AuthorizerOptions, 'tokens' | 'tokenCache' | 'challengeCache'>,
    Omit<RemoteOptions, 'name' | 'transport' | 'authorizer'> {
  /** `https://registry.example.com`, optionally with a path before the API's `/v2/`. */
  readonly url: string | URL;
  /** The name in messages and for the {@link AuthProvider}. Default: host[:port] of `url`. */
  readonly name?: string | undefined;
  /** Default: anonymous access, which suffices for public repositories. */
  readonly credentials?: AuthProvider | undefined;
  /** Sends requests without authorisation, and uses no token server: a 401 is an error. Default false. */
  readonly direct?: boolean | undefined;
}

/** A registry over HTTP, with its connections. */
export interface RemoteRegistry extends Registry, AsyncDisposable {
  /** Closes its connections. The registry cannot be used afterwards. */
  close(): Promise<void>;
}

/**
 * Opens a registry at an address with these options only: it reads no files and variables. Docker's settings for
 * mirrors, certificates and credentials are applied by the registry service. Sends nothing before the first call.
 *
 * @throws OciError USAGE if the URL is not an address of a registry.
 */
export function openRemote(options: OpenRemoteOptions): RemoteRegistry {
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
