/** The keys that daemon.json and config.yaml share, under Docker's names. */
import type { Fields } from '../documents/fields.ts';
import type { Sourced } from '../origin.ts';

/** Proxy addresses as written, including user and password. */
export interface ProxySettings {
  /** For http URLs: `http://[user:password@]host:port`, or `socks5://…`. */
  readonly http?: Sourced<string> | undefined;
  /** For https URLs, likewise. */
  readonly https?: Sourced<string> | undefined;
  /** For schemes without a proxy of their own. */
  readonly all?: Sourced<string> | undefined;
  /** Hosts, domains and networks that are connected to directly, separated by commas. */
  readonly noProxy?: Sourced<string> | undefined;
}

export interface ServiceKeys {
  readonly registryMirrors: readonly Sourced<string>[];
  readonly insecureRegistries: readonly Sourced<string>[];
  readonly allowNondistributableArtifacts: readonly Sourced<string>[];
  readonly maxConcurrentDownloads: Sourced<number> | undefined;
  readonly maxConcurrentUploads: Sourced<number> | undefined;
  readonly maxDownloadAttempts: Sourced<number> | undefined;
  readonly proxy: ProxySettings;
}

/** @throws OciError CONFIG_INVALID naming file and line. */
export function readServiceKeys(fields: Fields): ServiceKeys {
  const proxies = fields.object('proxies');
  const proxy = (key: string): Sourced<string> | undefined => {
    const found = proxies?.string(key);
    return found?.value === '' ? undefined : found;
  };
  return {
    registryMirrors: fields.strings('registry-mirrors'),
    insecureRegistries: fields.strings('insecure-registries'),
    allowNondistributableArtifacts: fields.strings('allow-nondistributable-artifacts'),
    maxConcurrentDownloads: fields.count('max-concurrent-downloads', 0),
    maxConcurrentUploads: fields.count('max-concurrent-uploads', 0),
    maxDownloadAttempts: fields.count('max-download-attempts', 1),
    proxy: {
      http: proxy('http-proxy'),
      https: proxy('https-proxy'),
      all: proxy('all-proxy'),
      noProxy: proxy('no-proxy'),
    },
  };
}
