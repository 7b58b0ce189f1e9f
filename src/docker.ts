/**
 * `ocictl/docker`: what Docker's command line and daemon decide about registries: names, credentials in config.json and its
 * helpers, certs.d, mirrors and endpoints. The names are those of Go's `docker/registry`, in camelCase.
 *
 * @packageDocumentation
 */
export { certsDir, hostCertsDir } from './certs/certs-dir.ts';
export { type HostCertificates, readCertsDirectory } from './certs/read-certificates.ts';
export type { Pair } from './certs/usable-pair.ts';
export type { BaseSettings } from './config/base-settings.ts';
export type { ShortNameRules } from './config/containers/short-names.ts';
export type { AuthEntry, DockerConfig, HelperName } from './config/docker/docker-config.ts';
export { indexName, validateIndexName } from './config/docker/index-name.ts';
export type { Cidr } from './config/documents/cidr.ts';
export type { Environment } from './config/environment.ts';
export type { HostRule } from './config/host-rules.ts';
export { validateMirror } from './config/mirrors.ts';
export type { ShortNames } from './config/ocictl/config-yaml.ts';
export type { Origin, Sourced } from './config/origin.ts';
export type { RegistryRule, RegistrySource } from './config/registry-rules.ts';
export type { ConsideredFile, FilePurpose } from './config/settings-file.ts';
export type { TrustSettings } from './config/trust-rules.ts';
export { type AuthConfig, createAuthConfigStore, resolveAuthConfig } from './credentials/auth-config.ts';
export type { ConfigFileStore } from './credentials/config-file.ts';
export { openConfigFileStore } from './credentials/config-file.ts';
export { type HelperStoreOptions, openHelperStore } from './credentials/helper-store.ts';
export { type CredentialLookupOptions, createCredentialLookup } from './credentials/lookup.ts';
export {
  authConfigKey as getAuthConfigKey,
  convertToHostname,
  hubKey as indexServer,
} from './credentials/registry-key.ts';
export { type DetectSchemeOptions, detectScheme } from './endpoints/detect-scheme.ts';
export type { HostMatch, Resolve } from './endpoints/host-match.ts';
export { defaultV2Registry } from './endpoints/lookup.ts';
export { parseRepositoryInfo } from './service/repository-info.ts';
export { parseSearchIndexInfo } from './service/search/search-term.ts';
