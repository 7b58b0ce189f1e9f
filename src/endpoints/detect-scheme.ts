import type { ProxySettings } from '../config/docker/service-keys.ts';
import { parseHostRules } from '../config/host-rules.ts';
import { checkArgument, checkOptions, type Shape } from '../model/check-arguments.ts';
import { isOciError, type OciError } from '../model/errors.ts';
import { createTransport, type TransportOptions } from '../transport/transport.ts';
import type { Resolve } from './host-match.ts';
import { matchInsecure } from './lookup.ts';

export interface DetectSchemeOptions {
  /** Hosts, `host:port` and networks, as in daemon.json. Loopback is always included. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Default: no proxy. */
  readonly proxy?: ProxySettings | undefined;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** Stops the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const detectSchemeShape: Shape<DetectSchemeOptions> = {
  insecureRegistries: 'array',
  proxy: 'object',
  resolve: 'function',
  signal: 'object',
};

/**
 * Detects the scheme of a registry. It is https without any request, unless the host is loopback or configured as
 * insecure: such a host gets http if it does not answer over TLS but does without.
 *
 * @param host `host[:port]` as in a reference.
 * @throws OciError the failure over TLS if neither answers; CONFIG_INVALID for an invalid entry.
 */
export async function detectScheme(host: string, options: DetectSchemeOptions = {}): Promise<'https' | 'http'> {
  checkArgument('detectScheme', 'the host', host, 'string');
  checkOptions('detectScheme', options, detectSchemeShape);
  const named = (options.insecureRegistries ?? []).map((value) => ({
    value,
    origin: { kind: 'option', name: 'insecureRegistries' } as const,
  }));
  const insecureRegistries = parseHostRules(named, 'insecureRegistries', () => {});
  const insecure = await matchInsecure(host, { settings: { insecureRegistries }, resolve: options.resolve });
  if (insecure === undefined) return 'https';
  const { addresses } = insecure;
  const failure = await failureAt(`https://${host}/`, { ...options, addresses });
  if (failure === undefined) return 'https';
  if ((await failureAt(`http://${host}/`, { ...options, addresses })) === undefined) return 'http';
  throw failure;
}

/** Undefined if something answers there. */
async function failureAt(
  base: string,
  { addresses, proxy, signal }: DetectSchemeOptions & Pick<TransportOptions, 'addresses'>,
): Promise<OciError | undefined> {
  const transport = createTransport({
    base: new URL(base),
    tls: { verify: false },
    retry: { attempts: 1 },
    addresses,
    proxy,
  });
  try {
    const response = await transport.request({ method: 'GET', url: 'v2/', anonymous: true, signal });
    await response.body.discard();
    return undefined;
  } catch (error) {
    if (isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS')) return error;
    throw error;
  } finally {
    await transport.close();
  }
}
