/** The interface between commands and the rest of the program. Commands see these types only. */

import type { Receipt } from '../archive/receipt.ts';
import type { ArchiveWriter } from '../archive/write/writer.ts';
import type { ConsideredFiles } from '../config/considered-files.ts';
import type { ShownSetting, ShownValue } from '../config/describe.ts';
import type { SettingsFlags } from '../config/settings.ts';
import type { Conversion, Converter } from '../convert/converter.ts';
import type { KeptEntries } from '../image/layers/kept-entries.ts';
import type { Fault, Scrubbed, ScrubOptions } from '../local-store/content/scrub.ts';
import type { ImageUsage, StoreUsage } from '../local-store/content/usage.ts';
import type { FoundImage } from '../local-store/find.ts';
import type { LocalImage } from '../local-store/list.ts';
import type { Pruned } from '../local-store/prune.ts';
import type { RemovedImage, RemoveOptions } from '../local-store/remove.ts';
import type { Digest } from '../model/digest.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { Reference, RepositoryName } from '../model/reference/reference.ts';
import type { LoadableArchive } from '../places/loadable-archive.ts';
import type { Place, PlaceRole } from '../places/place.ts';
import type { CollectOptions } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import type { Check } from '../service/doctor/check.ts';
import type { Logins, TemporaryConfig } from '../service/logins/logins.ts';
import type { LoginServer } from '../service/logins/server-name.ts';
import type { SearchResults } from '../service/search/search.ts';
import type { RegistryService } from '../service/service.ts';
import type { CopyOptions, CopyTotals } from '../storage/whole/copy-totals.ts';
import type { CheckOptions, StoreCheck, StoreFault } from '../storage/whole/faults.ts';
import type { StoreStats } from '../storage/whole/stats.ts';
import type { InputStream } from '../terminal/prompt.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { NewArchive } from './archives.ts';
import type { BaseContent } from './base-content.ts';
import type { CredentialFlags } from './identity-flags.ts';
import type { KeptTrustedRoot } from './kept-trusted-root.ts';
import type { Served, ServedOptions } from './serve/registry.ts';
import type { InputFile, OutputFile } from './user-files.ts';

export type { Outer } from '../archive/write/outer.ts';
export type { ArchiveWriter } from '../archive/write/writer.ts';
export type { LoadableArchive } from '../places/loadable-archive.ts';
export type { Place } from '../places/place.ts';
export type * from '../service/logins/logins.ts';
export type {
  Check,
  Conversion,
  CopyTotals,
  Fault,
  ImageUsage,
  LocalImage,
  LoginServer,
  Pruned,
  RemovedImage,
  Scrubbed,
  SearchResults,
  Served,
  ShownValue,
  StoreCheck,
  StoreFault,
  StoreStats,
  StoreUsage,
};

export type ServiceFlags = Pick<SettingsFlags, 'registryMirrors' | 'insecureRegistries' | 'certsDir'> &
  CredentialFlags & {
    /** A file with a policy. Commands that copy have this flag: what they open to read is judged, by config.yaml without it. */
    readonly policy?: string | undefined;
  };

/** Everything that a command may use. Commands never build a URL, read a credential or touch TLS. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Whether `-v` was given. */
  readonly verbose: boolean;
  readonly facts: { readonly version: string; readonly node: string; readonly platform: string };
  /** The directory of the local store, which may not exist yet; undefined if none is configured. */
  storeRoot(): Promise<string | undefined>;
  defaultPlatform(): Promise<Platform>;
  /** How many blobs may move at once, if that is set. */
  parallelDownloads(): Promise<number | undefined>;
  parallelUploads(): Promise<number | undefined>;
  service(flags?: ServiceFlags): Promise<RegistryService>;
  logins(flags?: Omit<ServiceFlags, keyof CredentialFlags>): Promise<Logins>;
  /** The account that `--username` and `--password-stdin` give. @throws OciError USAGE */
  account(
    flags: Pick<CredentialFlags, 'username' | 'passwordStdin'>,
  ): Promise<{ readonly username: string; readonly password: string } | undefined>;
  /** Runs a command with a temporary configuration, which is erased afterwards. @returns The command's exit status. */
  runWith(command: readonly string[], config: TemporaryConfig): Promise<number>;
  /** Checks every step of a pull, or, without a reference, the setup of this machine. */
  diagnose(reference: Reference | undefined, flags?: ServiceFlags): AsyncIterable<Check>;
  /** Forgets what was learned of a registry's host, and its tokens. @returns Whether anything was known. @throws OciError USAGE */
  forgetHost(server: string): Promise<{ readonly host: string; readonly known: boolean }>;
  /** Every setting that is in effect, without secrets. */
  describeSettings(): Promise<readonly ShownSetting[]>;
  /** The files that settings are looked for in, and the errors in them. */
  settingsFiles(): Promise<ConsideredFiles>;
  /** Standard input, opened by the first call. */
  stdin(): InputStream;
  /** The trusted root of sigstore that is kept in the cache directory. */
  keptTrustedRoot(): Promise<KeptTrustedRoot>;
  /** The password of a signing key, as `COSIGN_PASSWORD` has it. */
  keyPassword(): string | undefined;
  /** The time that `SOURCE_DATE_EPOCH` says, for what is made reproducibly. @throws OciError CONFIG_INVALID for what is no time */
  sourceDate(): Date | undefined;
  /** Whether there is a policy: that of the flag, or `trust` in config.yaml. */
  hasPolicy(flags: Pick<ServiceFlags, 'policy'>): Promise<boolean>;
  /** The local store as a registry of store names. */
  store(): Promise<Registry>;
  images(name?: string): AsyncIterable<LocalImage>;
  /** @throws OciError IMAGE_UNKNOWN */
  findImage(word: string): Promise<FoundImage>;
  /** Finds the repository of the reference's registry that holds a blob, as far as the store knows. */
  mountSource(
    reference: Pick<Reference, 'domain' | 'path'>,
  ): Promise<(digest: Digest) => Promise<RepositoryName | undefined>>;
  removeImage(word: string, opts?: Pick<RemoveOptions, 'force'>): Promise<RemovedImage>;
  /** Frees what nothing in the local store refers to. */
  prune(opts: { readonly dryRun: boolean }): Promise<Pruned>;
  /** The same for the directory of a registry. @throws OciError STORAGE for a directory that is not a registry's */
  collectRegistry(root: string, opts: Omit<CollectOptions, 'signal'>): Promise<Pruned>;
  /** Adds up what the store of a registry holds. @throws OciError as {@link collectRegistry} */
  registryStats(root: string, opts: { readonly limit: number }): Promise<StoreStats>;
  /**
   * Checks the store of a registry.
   *
   * @param opts.from A registry to fetch from, as `HOST` or `HOST/PREFIX`, with `flags` for it.
   * @throws OciError as {@link collectRegistry}
   */
  checkRegistry(
    root: string,
    opts: Omit<CheckOptions, 'signal' | 'fetcher'> & { readonly from?: string; readonly flags?: ServiceFlags },
  ): Promise<StoreCheck>;
  /** Copies the store of a registry to another place. @throws OciError as {@link collectRegistry} */
  copyRegistry(from: string, to: string, opts: Omit<CopyOptions, 'signal'>): Promise<CopyTotals>;
  /** What takes space in the local store. */
  usage(): Promise<StoreUsage>;
  /**
   * Reads the local store again, or some of its images.
   *
   * @param opts.repairWith With these flags, what is damaged is fetched from its registry; otherwise nothing changes.
   * @throws OciError IMAGE_UNKNOWN
   */
  scrub(
    words: readonly string[],
    opts: Pick<ScrubOptions, 'onEvent' | 'onFault'> & { readonly repairWith?: ServiceFlags },
  ): Promise<Scrubbed>;
  openServed(options: ServedOptions): Promise<Served>;
  /** For completion by a shell: the references that a word may become, if it is one up to its tag. Never fails, and takes a moment. */
  completeTags(word: string): Promise<readonly string[]>;
  /**
   * The word itself; or, with `short-names: containers`, the full name of the image that it means when it is read from
   * a registry.
   *
   * @throws OciError REFERENCE_INVALID
   */
  imageName(word: string, flags?: ServiceFlags): Promise<string>;
  /** @param word A reference, or a place of another kind (src/places). A place that is written to is created. */
  openPlace(word: string, role: PlaceRole, flags?: ServiceFlags): Promise<Place>;
  /** What is at a place, or was there when a receipt was written. @param word A receipt's file, or a place. */
  baseContent(word: string, flags?: ServiceFlags): Promise<BaseContent>;
  /** Opens an archive of any kind to load its images, which are judged as by {@link openPlace}. @param file Its path; `-` for standard input. */
  openArchive(file: string, flags?: Pick<ServiceFlags, 'policy'>): Promise<LoadableArchive>;
  /** Checks that a receipt can be written, for `save --since`. @returns What writes it. @throws OciError STORAGE_*, also later */
  createReceipt(file: string): Promise<(receipt: Receipt) => Promise<void>>;
  /** A file to read. @param word A path; `-` for standard input. @throws OciError USAGE if it cannot be read as a file */
  openInput(word: string): Promise<InputFile>;
  /** A file to write. @param path Undefined for standard output. @throws OciError USAGE, REFUSED, STORAGE_* */
  openOutput(path: string | undefined): Promise<OutputFile>;
  /** What changes images while they are copied. @throws OciError UNSUPPORTED for zstd where Node has none */
  createConverter(conversion: Conversion): Promise<Converter>;
  /** What was learned of layers of images before; undefined where no cache is. */
  keptEntries(): Promise<KeptEntries | undefined>;
  /** An archive to write images to. @throws OciError REFUSED for a directory; STORAGE_* */
  createArchive(options: NewArchive): Promise<ArchiveWriter>;
}
