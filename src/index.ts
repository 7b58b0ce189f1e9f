/** The public library. */

export { loadSettings, type Settings } from './config/settings.ts';
export { layoutRepository, openLayout } from './layout/layout.ts';
export type { Challenge } from './model/challenge.ts';
export type { Descriptor } from './model/descriptor.ts';
export {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  digestBytes,
  type Hasher,
  parseDigest,
} from './model/digest.ts';
export { type ErrorCode, exitStatusOf, isOciError, OciError, type OciErrorOptions } from './model/errors.ts';
export type { TransferEvent } from './model/events.ts';
export { type Manifest, type ManifestView, parseManifest, type RawManifest, readManifest } from './model/manifest.ts';
export { mediaTypes } from './model/media-types.ts';
export { formatPlatform, hostPlatform, type Platform, parsePlatform } from './model/platform.ts';
export {
  familiarReference,
  formatReference,
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
  type StoreName,
  type Tag,
  toStoreName,
} from './model/reference.ts';
export { type BlobSource, bytesSource, type Content, readContent, type Sink } from './registry/content.ts';
export * from './registry/extensions.ts';
export type * from './registry/registry.ts';
export { type Repository, repository } from './registry/repository.ts';
export { fallback } from './registry/wrappers/fallback.ts';
export { readOnly } from './registry/wrappers/read-only.ts';
export { renamed } from './registry/wrappers/renamed.ts';
export { type RunningServer, type ServeOptions, serve } from './server/server.ts';
export { parseSearchIndexInfo } from './service/search-term.ts';
export { createRegistryService, type RegistryService } from './service/service.ts';
export { openFilesystemDriver } from './storage/drivers/filesystem.ts';
export { createMemoryDriver } from './storage/drivers/memory.ts';
export { createStorage } from './storage/storage.ts';
export { type Transfer, type TransferOptions, type TransferResult, transfer } from './transfer/transfer.ts';
export { version } from './version.ts';
