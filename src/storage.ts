/**
 * `ocictl/storage`: a registry over a storage driver, in the on-disk layout of distribution v3; the drivers, the interface for
 * a driver of one's own, and what a stored registry can do besides: garbage collection, enumeration, tag history.
 *
 * @packageDocumentation
 */

export type { FileReader } from './files/file-reader.ts';
export type { CollectOptions, Tally } from './registry/extensions.ts';
export {
  type BlobEnumerator,
  type BlobLocator,
  blobEnumerator,
  blobLocator,
  type CollectResult,
  type GarbageCollector,
  garbageCollector,
  type Leases,
  type LocatedBlob,
  leases,
  type ManifestEnumerator,
  manifestEnumerator,
  type RepositoryRemover,
  repositoryRemover,
  type StorageCheck,
  storageCheck,
  type TagHistory,
  tagHistory,
  type UploadSweeper,
  uploadSweeper,
} from './registry/extensions.ts';
export type {
  BlobUrlSigner,
  Driver,
  Entry,
  FoundSession,
  Journal,
  LeftUpload,
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
  UrlOptions,
} from './storage/driver.ts';
export { type FilesystemDriverOptions, openFilesystemDriver } from './storage/drivers/filesystem.ts';
export { createMemoryDriver } from './storage/drivers/memory.ts';
export { createStorage, type StorageOptions } from './storage/storage.ts';
export { type BaseUrlOptions, createBaseUrls } from './storage/urls/base-url.ts';
export { type CloudFrontOptions, createCloudFrontSigner } from './storage/urls/cloudfront.ts';
