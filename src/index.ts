/**
 * The public library. Everything here is meant to be used; what is not here may change at any time.
 *
 * `docs/coming-from-go.md` maps the names that people know from distribution and Docker to these.
 */

export type { AuthProvider } from './auth/auth-provider.ts';
export { type ChallengeCache, createChallengeCache } from './auth/challenge-cache.ts';
export { createTokenCache, type TokenCache, type TokenCacheOptions, type TokenKey } from './auth/token-cache.ts';
export type { Token, TokenOptions } from './auth/token-server.ts';
export { certsDir, hostCertsDir, setCertsDir } from './certs/certs-dir.ts';
export { type HostCertificates, readCertsDirectory } from './certs/read-certificates.ts';
export type { TlsSettings } from './certs/tls-settings.ts';
export { indexName, validateIndexName } from './config/docker/index-name.ts';
export type { ProxySettings } from './config/docker/service-keys.ts';
export { validateMirror } from './config/mirrors.ts';
export { type LoadSettingsOptions, loadSettings, type Settings, type SettingsFlags } from './config/settings.ts';
export { type AuthConfig, newStaticCredentialStore, resolveAuthConfig } from './credentials/auth-config.ts';
export { createConfigFileStore } from './credentials/config-file.ts';
export type { Credential } from './credentials/credential.ts';
export { createHelperStore, type HelperStoreOptions } from './credentials/helper-store.ts';
export { type CredentialLookupOptions, createCredentialLookup } from './credentials/lookup.ts';
export {
  authConfigKey as getAuthConfigKey,
  convertToHostname,
  hubKey as indexServer,
} from './credentials/registry-key.ts';
export { createStaticStore } from './credentials/static.ts';
export type { CredentialStore, StoredEntry, StoreOptions } from './credentials/store.ts';
export { type DetectSchemeOptions, detectScheme } from './endpoints/detect-scheme.ts';
export type { APIEndpoint } from './endpoints/endpoint.ts';
export type { HostMatch, Resolve } from './endpoints/host-match.ts';
export { defaultV2Registry } from './endpoints/lookup.ts';
export { type LayoutOptions, layoutRepository, openLayout } from './layout/layout.ts';
export type { Challenge } from './model/challenge.ts';
export {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestBytes,
  type Hasher,
  parseDigest,
} from './model/digest.ts';
export {
  type ErrorCode,
  errorCodes,
  exitStatusOf,
  isOciError,
  OciError,
  type OciErrorOptions,
  statusOf,
} from './model/errors.ts';
export type { BlobState, NodeKind, NodeOutcome, ProgressEvent, ProgressTotals, TransferEvent } from './model/events.ts';
export { type Descriptor, parseDescriptor } from './model/manifest/descriptor.ts';
export {
  type ArtifactView,
  blobsOf,
  childrenOf,
  detectMediaType,
  type ImageView,
  type IndexView,
  type Manifest,
  type ManifestView,
  type OtherView,
  parseManifest,
  type RawManifest,
  readManifest,
  type Schema1View,
} from './model/manifest/manifest.ts';
export {
  type ManifestReferences,
  type ReadManifestReferences,
  registerManifestSchema,
} from './model/manifest/manifest-schemas.ts';
export { manifestAcceptHeader, manifestMediaTypes, mediaTypes } from './model/manifest/media-types.ts';
export { type VerifiedSchema1, verifySchema1 } from './model/manifest/schema1.ts';
export { formatPlatform, hostPlatform, type Platform, parsePlatform } from './model/platform/platform.ts';
export {
  defaultTag,
  familiarName,
  familiarReference,
  formatReference,
  isDigestReference,
  manifestReference,
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
  type StoreName,
  type Tag,
  toStoreName,
  withDefaultTag,
} from './model/reference/reference.ts';
export { searchCatalog } from './registry/catalog-search.ts';
export {
  type BlobSource,
  bytesContent,
  bytesSource,
  type Content,
  readContent,
  type Sink,
  streamContent,
  verifiedContent,
} from './registry/content.ts';
export {
  type BlobDescriptorService,
  createDescriptorCache,
  type DescriptorCacheOptions,
} from './registry/descriptor-cache.ts';
export {
  type BlobEnumerator,
  blobEnumerator,
  type CollectResult,
  type EndpointReport,
  type ExtensionKey,
  endpointReport,
  type GarbageCollector,
  garbageCollector,
  type Leases,
  leases,
  type ManifestEnumerator,
  manifestEnumerator,
  type RepositoryRemover,
  repositoryRemover,
  type TagHistory,
  tagHistory,
  type UploadSweeper,
  uploadSweeper,
} from './registry/extensions.ts';
export type {
  BlobWriter,
  ByteRange,
  Deleter,
  GetBlobOptions,
  GetManifestOptions,
  Lister,
  ListOptions,
  PingResult,
  PushBlobOptions,
  PushBlobResult,
  PushManifestOptions,
  Reader,
  ReferrerOptions,
  Registry,
  SignalOption,
  StartUploadOptions,
  StatManifestOptions,
  Writer,
} from './registry/registry.ts';
export {
  type BlobReader,
  type BlobService,
  type ManifestService,
  type Repository,
  repository,
  type TagService,
} from './registry/repository.ts';
export type { RequestContext } from './registry/request-context.ts';
export { type CachedDescriptorsOptions, cachedDescriptors } from './registry/wrappers/cached-descriptors.ts';
export type { FallbackEvent } from './registry/wrappers/fallback/attempts.ts';
export type { FallbackEndpoint, FallbackRequest } from './registry/wrappers/fallback/candidate.ts';
export { type FallbackOptions, fallback } from './registry/wrappers/fallback/fallback.ts';
export { readOnly } from './registry/wrappers/read-only.ts';
export { type Renaming, renamed } from './registry/wrappers/renamed.ts';
export { globalScope, pathScope, type Scope, scoped } from './registry/wrappers/scoped.ts';
export { type OpenRemoteOptions, openRemote, type RemoteRegistry } from './remote/open.ts';
export { type Access, type AccessRequest, type Authorize, type Decision, formatScope } from './server/auth/access.ts';
export { type BasicAuthOptions, basicAuth } from './server/auth/basic-auth.ts';
export { type TokenAuthOptions, tokenAuth } from './server/auth/token-auth.ts';
export {
  type IssuedToken,
  type IssuerRules,
  type TokenIssuer,
  type TokenIssuerOptions,
  type TokenQuestion,
  tokenIssuer,
} from './server/auth/token-issuer.ts';
export { readJwks, readRoots, type TokenTrust, type TrustedKey } from './server/auth/token-trust.ts';
export type { AccessEntry } from './server/http/access-entry.ts';
export type { RunningServer, ServedTls, ServeOptions } from './server/options.ts';
export { serve } from './server/server.ts';
export type { AuthResult } from './service/logins/verify.ts';
export { parseRepositoryInfo, type RepositoryInfo } from './service/repository-info.ts';
export type { SearchOptions, SearchResults } from './service/search/search.ts';
export { parseSearchIndexInfo } from './service/search/search-term.ts';
export {
  createRegistryService,
  type RegistryService,
  type RegistryServiceOptions,
} from './service/service.ts';
export type { IndexInfo, ServiceConfig, ServiceOptions } from './service/service-config.ts';
export type {
  Driver,
  Entry,
  Journal,
  Listing,
  Lock,
  Locks,
  ObjectFacts,
  ObjectReader,
  Objects,
  PageOptions,
  StorePath,
  Upload,
  UploadFacts,
  Uploads,
} from './storage/driver.ts';
export { type FilesystemDriverOptions, openFilesystemDriver } from './storage/drivers/filesystem.ts';
export { createMemoryDriver } from './storage/drivers/memory.ts';
export { createStorage, type StorageOptions } from './storage/storage.ts';
export { openBatch, type TransferBatch } from './transfer/batch.ts';
export type { ChangedBlob, SourceBlob, Transform } from './transfer/options.ts';
export {
  type BatchOptions,
  type GraphLimits,
  type Transfer,
  type TransferEnd,
  type TransferOptions,
  type TransferResult,
  type TransferRoot,
  transfer,
} from './transfer/transfer.ts';
export type { TransportLimits } from './transport/origins.ts';
export type { RetryPolicy } from './transport/retry/retry.ts';
export type { RequestTrace } from './transport/transport.ts';
export { version } from './version.ts';
export { formatChallenge, parseChallenges } from './wire/challenges.ts';
export { decodeError, type ErrorContext, encodeErrors } from './wire/errors.ts';
export { parseRoute, type Route, routePath } from './wire/routes.ts';
