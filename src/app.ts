/** The one composition root: makes what commands work with, when they first ask for it. */
import { loadSettings, type Settings, type SettingsFlags } from './config/settings.ts';
import { prepareForTraffic } from './engine.ts';
import type { Digest } from './model/digest.ts';
import { hostPlatform, type Platform } from './model/platform.ts';
import type { Reference, RepositoryName, Tag } from './model/reference.ts';
import type { Registry } from './registry/registry.ts';
import type { LoginOutcome, Logins } from './service/auth-logins.ts';
import type { LoginServer } from './service/auth-server.ts';
import type { SearchResults } from './service/search.ts';
import type { RegistryService } from './service/service.ts';
import { openFilesystemDriver } from './storage/drivers/filesystem.ts';
import type { FoundImage } from './storage/find-image.ts';
import { type LocalImage, listImages } from './storage/local-store.ts';
import type { RemovedImage, RemoveOptions } from './storage/remove-image.ts';
import { createStorage } from './storage/storage.ts';
import type { InputStream } from './terminal/prompt.ts';
import type { Terminal } from './terminal/terminal.ts';
import { version } from './version.ts';

export type { LocalImage, LoginOutcome, LoginServer, Logins, SearchResults };

/** What `ocictl serve` was asked to serve. */
export interface ServedOptions {
  readonly root?: string | undefined;
  readonly memory?: boolean | undefined;
  readonly store?: boolean | undefined;
  readonly mirrorOf?: string | undefined;
  readonly readOnly?: boolean | undefined;
}

export interface Served {
  readonly registry: Registry;
  /** For people: `the local store (read-only)`. */
  readonly what: string;
  readonly readOnly: boolean;
}

/** `repository`: tags are listed; `removal`: something is deleted. In both, where no tag was named, none is meant. */
export type EndRole = 'source' | 'destination' | 'repository' | 'removal';

/** What a command reads or writes: an image or a repository in a registry, a layout or the local store. */
export interface End {
  readonly kind: 'registry' | 'layout' | 'store';
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
  /** Undefined where a digest was named. */
  readonly tag: Tag | undefined;
  /** Whether a tag or digest was named; else `reference` is the default. */
  readonly named: boolean;
  /** As people write it: `alpine:3`, `store:alpine:3`, `oci:dir:3`. */
  readonly name: string;
  /** In full: `docker.io/library/alpine:3`. */
  readonly fullName: string;
  /** The same for two ends that are the same place under two names. */
  readonly place: string;
  /** In full, without tag and digest. */
  readonly repository: string;
  /** The registry's domain; undefined for a layout. */
  readonly domain: string | undefined;
  /** Whether indexes may be here without all their children. */
  readonly sparse: boolean;
}

export type ServiceFlags = Pick<SettingsFlags, 'registryMirrors' | 'insecureRegistries'>;

/** All that a command may use. Commands never build a URL, read a credential or touch TLS. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly facts: { readonly version: string; readonly node: string; readonly platform: string };
  storeRoot(): Promise<string>;
  defaultPlatform(): Promise<Platform>;
  parallelDownloads(): Promise<number>;
  parallelUploads(): Promise<number>;
  service(flags?: ServiceFlags): Promise<RegistryService>;
  logins(flags?: ServiceFlags): Promise<Logins>;
  /** Standard input, opened when it is asked for. */
  stdin(): InputStream;
  /** The local store as a registry of store names. */
  store(): Promise<Registry>;
  images(): AsyncIterable<LocalImage>;
  /** @throws OciError IMAGE_UNKNOWN */
  findImage(word: string): Promise<FoundImage>;
  /** Which repository of the reference's registry holds a blob, as far as the store knows. */
  mountSource(
    reference: Pick<Reference, 'domain' | 'path'>,
  ): Promise<(digest: Digest) => Promise<RepositoryName | undefined>>;
  removeImage(word: string, opts?: Pick<RemoveOptions, 'force'>): Promise<RemovedImage>;
  openServed(options: ServedOptions): Promise<Served>;
  /** @param word A reference, `store:REFERENCE`, or `oci:DIR[:TAG|@DIGEST]`. A layout to write to is made. */
  openEnd(word: string, role: EndRole, flags?: ServiceFlags): Promise<End>;
}

export interface AppOptions {
  readonly terminal: Terminal;
  readonly stdin: () => InputStream;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  /** From the command line. */
  readonly flags: SettingsFlags;
  readonly verbose: boolean;
}

/** A context, and the end of what it opened. */
export interface App extends Context {
  close(): Promise<void>;
}

export function createApp({ terminal, stdin, signal, env, flags, verbose }: AppOptions): App {
  const closers: (() => Promise<void>)[] = [];
  const settings = async (more: ServiceFlags = {}): Promise<Settings> => {
    const loaded = await loadSettings({ flags: { ...flags, ...more }, env });
    for (const warning of loaded.warnings) terminal.warn(warning);
    return loaded;
  };
  const base = once(() => settings());
  const store = once(async () => openStore((await base()).storeRoot.value));
  const service = async (more?: ServiceFlags): Promise<RegistryService> => {
    await prepareForTraffic();
    const { createRegistryService } = await import('./service/service.ts');
    const service = createRegistryService({
      settings: await settings(more),
      warn: (text) => terminal.warn(text),
      userAgent: `ocictl/${version}`,
      onFallback: ({ from, to, error }) => terminal.note(`${from}: ${error.message}, trying ${to}`),
      ...(verbose && { trace: (line: string) => terminal.note(terminal.paint('dim', line)) }),
    });
    closers.push(() => service.close());
    return service;
  };
  return {
    terminal,
    signal,
    facts: { version, node: process.versions.node, platform: `${process.platform}/${process.arch}` },
    storeRoot: async () => (await base()).storeRoot.value,
    async defaultPlatform() {
      return (await base()).defaultPlatform?.value ?? hostPlatform();
    },
    parallelUploads: async () => (await base()).maxConcurrentUploads.value,
    parallelDownloads: async () => (await base()).maxConcurrentDownloads.value,
    service,
    async logins(more) {
      const { createLogins } = await import('./service/auth-logins.ts');
      const warn = (text: string): void => terminal.warn(text);
      return createLogins({ settings: await settings(more), service: await service(more), warn });
    },
    stdin,
    store,
    async *images() {
      yield* listImages(await store(), { signal, platform: (await base()).defaultPlatform?.value });
    },
    async findImage(word) {
      const { findImages, noSuchImage } = await import('./storage/find-image.ts');
      const [image] = await findImages(await store(), word, { signal });
      if (!image) throw noSuchImage(word);
      return image;
    },
    async mountSource(reference) {
      const { mountSource } = await import('./storage/mount-source.ts');
      return mountSource(await store(), reference, { signal });
    },
    async removeImage(word, opts) {
      const { removeImage } = await import('./storage/remove-image.ts');
      return removeImage(await store(), word, { ...opts, signal });
    },
    async openServed(options) {
      await prepareForTraffic();
      const { openServed } = await import('./served.ts');
      return openServed(options, async () => (await base()).storeRoot.value);
    },
    async openEnd(word, role, more) {
      const { openEnd } = await import('./ends.ts');
      return openEnd(word, role, {
        store,
        remote: async (reference, intent) => (await service(more)).open(reference, intent),
      });
    },
    async close() {
      await Promise.allSettled(closers.map((end) => end()));
    },
  };
}

async function openStore(root: string): Promise<Registry> {
  return createStorage({ driver: await openFilesystemDriver({ root }), name: 'local store', sparseIndexes: true });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
