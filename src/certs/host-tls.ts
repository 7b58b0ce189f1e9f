import type { Environment } from '../config/environment.ts';
import { hostCertsDir } from './certs-dir.ts';
import { readCertsDirectory } from './read-certificates.ts';
import { checkNamedRoots, systemRootsReader } from './roots.ts';
import type { TlsSettings } from './tls-settings.ts';

export interface HostTlsOptions {
  /** certs.d directories; the first with a directory for the host counts. */
  readonly certsDirs: readonly string[];
  readonly environment: Pick<Environment, 'env' | 'platform'>;
  readonly warn: (text: string) => void;
  /** False for an insecure host, of which any certificate will do: authorities then do not matter. Default true. */
  readonly verify?: boolean | undefined;
}

/**
 * The TLS settings of one registry: the content of its certificate directory, and a reader of the system's trusted roots.
 *
 * @param host `host[:port]` as written.
 * @throws OciError CONFIG_INVALID for a host that is not a valid directory name, a certificate without key or vice versa, an
 * unusable pair, and an unusable `SSL_CERT_FILE`.
 */
export async function readHostTls(host: string, options: HostTlsOptions): Promise<TlsSettings> {
  const { certsDirs, environment, warn, verify = true } = options;
  const directories = certsDirs.map((directory) => hostCertsDir(directory, host, environment.platform));
  if (verify) await checkNamedRoots(environment.env);
  let found: Awaited<ReturnType<typeof readCertsDirectory>>;
  let [directory] = directories;
  for (const each of directories) {
    found = await readCertsDirectory(each, warn);
    if (!found) continue;
    directory = each;
    break;
  }
  const tls: TlsSettings = {
    ...(found && found.ca.length > 0 && { ca: found.ca }),
    ...found?.client,
    systemRoots: systemRootsReader(environment.env),
    ...(directory !== undefined && { directory }),
  };
  return verify ? tls : unverified(tls);
}

/** The same for a host that is insecure: it is shown our certificate all the same. */
export function unverified({ cert, key, directory }: TlsSettings): TlsSettings {
  const client = cert !== undefined && key !== undefined ? { cert, key } : {};
  return { verify: false, ...client, ...(directory !== undefined && { directory }) };
}
