/**
 * The public library. Everything here is meant to be used; what is not here may change at any time.
 *
 * `docs/coming-from-go.md` maps the names that people know from distribution and Docker to these.
 */

export type { PulledFile } from './artifacts/pull/artifact-files.ts';
export type { ArtifactFile } from './artifacts/push/layers.ts';
export type { TreeNode, TreeNodeKind } from './artifacts/tree/referrers-tree.ts';
export type { AuthProvider } from './auth/auth-provider.ts';
export { type ChallengeCache, createChallengeCache } from './auth/challenge-cache.ts';
export { createTokenCache, type TokenCache, type TokenCacheOptions, type TokenKey } from './auth/token-cache.ts';
export type { Token, TokenOptions } from './auth/token-server.ts';
export type { TlsSettings } from './certs/tls-settings.ts';
export type { ProxySettings } from './config/docker/service-keys.ts';
export { type LoadSettingsOptions, loadSettings, type Settings, type SettingsFlags } from './config/settings.ts';
export type { Credential } from './credentials/credential.ts';
export { createStaticStore } from './credentials/static.ts';
export type { CredentialStore, GetOptions, StoredEntry, StoreOptions } from './credentials/store.ts';
export type { Mutation } from './edit/mutate.ts';
export type { APIEndpoint } from './endpoints/endpoint.ts';
export type { EntryType, FileTime, SparseSpan, TarEntry } from './image/tar/entry.ts';
export { type LayoutOptions, layoutRepository, openLayout } from './layout/layout.ts';
export {
  type ArtifactOptions,
  type AttachOptions,
  attach,
  type PushArtifactOptions,
  type PushedArtifact,
  pushArtifact,
} from './library/artifacts.ts';
export { type CopyOptions, type CopyResult, copy } from './library/copy.ts';
export {
  type ImageFile,
  type ImageLayer,
  type LayerItem,
  type OpenedImage,
  type OpenImageOptions,
  openImage,
} from './library/image.ts';
export { type ChangedImage, type ImageChanges, type MutateOptions, mutate } from './library/mutate.ts';
export { type PullArtifactOptions, type PulledArtifact, pullArtifact } from './library/pull-artifact.ts';
export {
  getDigest,
  getImageConfig,
  getManifest,
  listRepositories,
  listTags,
  type ReadOptions,
} from './library/read.ts';
export { type ReferrersTreeOptions, referrersTree } from './library/referrers.ts';
export type { CallOptions } from './library/session.ts';
export { type AttestOptions, attest, type SigningCallOptions, type SignOptions, sign } from './library/sign.ts';
export type { PolicyOption } from './library/source.ts';
export {
  type TrustedSigner,
  type Verified,
  type VerifyAttestationOptions,
  type VerifyOptions,
  verify,
  verifyAttestation,
} from './library/verify.ts';
export { deleteTag, pushManifest, setTags } from './library/write.ts';
export type { Challenge } from './model/challenge.ts';
export {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestAlgorithms,
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
export type {
  BlobState,
  NodeKind,
  NodeOutcome,
  ProgressEvent,
  ProgressTotals,
  TransferEvent,
  WaitFacts,
  Waiting,
} from './model/events.ts';
export { type Descriptor, parseDescriptor } from './model/manifest/descriptor.ts';
export type { HistoryLine, ImageConfig } from './model/manifest/image-config.ts';
export type { CommonView } from './model/manifest/manifest.ts';
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
export { type EndpointReport, type ExtensionKey, endpointReport } from './registry/extensions.ts';
export type { Intent } from './registry/intent.ts';
export type {
  BlobWriter,
  ByteRange,
  Deleter,
  GetBlobOptions,
  GetManifestOptions,
  KnownTags,
  Lister,
  ListOptions,
  OnWait,
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
export { type CachedDescriptorsOptions, cachedDescriptors } from './registry/wrappers/cached-descriptors.ts';
export type { FallbackEvent } from './registry/wrappers/fallback/attempts.ts';
export type { EndpointState, FallbackEndpoint, FallbackRequest } from './registry/wrappers/fallback/candidate.ts';
export { type FallbackOptions, fallback } from './registry/wrappers/fallback/fallback.ts';
export { readOnly } from './registry/wrappers/read-only.ts';
export { type Renaming, renamed } from './registry/wrappers/renamed.ts';
export { globalScope, pathScope, type Scope, scoped } from './registry/wrappers/scoped.ts';
export { type OpenRemoteOptions, openRemote, type RemoteRegistry } from './remote/open.ts';
export type { RegistryService, RegistryServiceOptions } from './service/contract.ts';
export { createRegistryService } from './service/create-service.ts';
export type { Check, CheckTopic } from './service/doctor/check.ts';
export type { BearerToken } from './service/logins/token.ts';
export type { AuthResult } from './service/logins/verify.ts';
export type { Identity } from './service/open/endpoint-registry.ts';
export type { RepositoryInfo } from './service/repository-info.ts';
export type { SearchOptions, SearchResults } from './service/search/search.ts';
export type { IndexInfo, ServiceConfig, ServiceOptions } from './service/service-config.ts';
export { createBatch, type TransferBatch } from './transfer/batch.ts';
export type { ChangedBlob, SourceBlob, Transform } from './transfer/options.ts';
export {
  type BatchOptions,
  type GraphLimits,
  type Transfer,
  type TransferEnd,
  type TransferOptions,
  type TransferResult,
  type TransferRoot,
  type TransferredBlob,
  transfer,
} from './transfer/transfer.ts';
export type { TransportLimits } from './transport/origins.ts';
export type { RequestTrace } from './transport/request-trace.ts';
export type { RetryPolicy } from './transport/retry/retry.ts';
export type { Repetition, Wait } from './transport/waits.ts';
export type { SignedImage } from './trust/sign/image.ts';
export type { WrittenSignature } from './trust/sign/written.ts';
export type { Signer } from './trust/signer.ts';
export type { Attested } from './trust/verify/attested.ts';
export type { Signatory } from './trust/verify/authority.ts';
export type { Verdict } from './trust/verify/verdict.ts';
export type { AttestationVerdict } from './trust/verify/verify.ts';
export { version } from './version.ts';
export type { SearchEntry } from './wire/v1-search.ts';
