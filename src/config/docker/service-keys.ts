/** The keys that daemon.json and config.yaml have in common, under Docker's names. */
import type { Fields } from '../documents/fields.ts';
import type { Sourced } from '../origin.ts';

/** Addresses of proxies as written, with user and password where they have them. */
export interface ProxySettings {
  readonly http?: Sourced<string> | undefined;
  readonly https?: Sourced<string> | undefined;
  /** For what the other two do not name. */
  readonly all?: Sourced<string> | undefined;
  /** Hosts, domains and networks that are reached directly, separated by commas. */
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
