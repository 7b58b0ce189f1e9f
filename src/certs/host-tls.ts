import { type Surroundings, variable } from '../config/surroundings.ts';
import { hostCertsDir } from './certs-dir.ts';
import { readCertsDirectory } from './certs-directory.ts';
import { trustedRoots } from './roots.ts';
import type { TlsSettings } from './tls-settings.ts';

export interface HostTlsOptions {
  /** certs.d directories; the first that has one for the host counts. */
  readonly certsDirs: readonly string[];
  readonly surroundings: Pick<Surroundings, 'env' | 'platform'>;
  readonly warn: (text: string) => void;
}

/**
 * The TLS settings of one registry. The system's roots are read only where there is something to add to Node's.
 *
 * @param host `host[:port]` as written.
 * @throws OciError CONFIG_INVALID for a host that is no directory name, half a pair, an unusable pair.
 */
export async function readHostTls(host: string, options: HostTlsOptions): Promise<TlsSettings> {
  const { certsDirs, surroundings, warn } = options;
  let found: Awaited<ReturnType<typeof readCertsDirectory>>;
  for (const directory of certsDirs) {
    found = await readCertsDirectory(hostCertsDir(directory, host, surroundings.platform), warn);
    if (found) break;
  }
  const extra = found?.ca ?? [];
  const complete = extra.length > 0 || variable(surroundings.env, 'SSL_CERT_FILE') !== undefined;
  return {
    ...(complete && { ca: [...(await trustedRoots(surroundings.env)), ...extra] }),
    ...found?.client,
  };
}
