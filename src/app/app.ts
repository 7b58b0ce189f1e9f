/** The composition root: creates what commands need when they first ask for it. */
import { loadBaseSettings } from '../config/base-settings.ts';
import type { Sourced } from '../config/origin.ts';
import { cacheDirectory } from '../config/paths.ts';
import { loadSettings, type SettingsFlags } from '../config/settings.ts';
import { sourceDate } from '../config/source-date.ts';
import { OciError } from '../model/errors.ts';
import { hostPlatform } from '../model/platform/platform.ts';
import { type Reference, withDefaultTag } from '../model/reference/reference.ts';
import { openPlace } from '../places/open-place.ts';
import type { PlaceSources } from '../places/place.ts';
import type { InputStream } from '../terminal/prompt.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { version } from '../version.ts';
import type { Context, ServiceFlags } from './context.ts';
import { prepareForTraffic } from './engine.ts';
import { createPolicies } from './judging.ts';
import { createServices } from './services.ts';
import type { RootParts } from './storage/store-root.ts';

interface AppOptions {
  readonly terminal: Terminal;
  readonly stdin: () => InputStream;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  /** From the command line. */
  readonly flags: SettingsFlags;
  /** How often `-v` was given: 1 for requests, 2 for their headers too. */
  readonly verbosity: number;
}

/** A context, and a way to close what it opened. */
export interface App extends Context {
  close(): Promise<void>;
}

export function createApp({ terminal, stdin, signal, env, flags, verbosity }: AppOptions): App {
  const told = new Set<string>();
  const tell = (warnings: readonly string[]): void => {
    for (const warning of warnings) if (!told.has(warning)) terminal.warn(warning);
    for (const warning of warnings) told.add(warning);
  };
  // What a service warns about is a line of the diagnosis.
  let diagnosing = false;
  const base = once(async () => {
    const loaded = await loadBaseSettings({ flags, env });
    tell(loaded.warnings);
    return loaded;
  });
  const storeRoot = async (): Promise<string> => {
    const root = (await base()).storeRoot;
    if (root !== undefined) return root.value;
    throw new OciError('STORAGE', 'there is no place for the local store: this user has no home directory', {
      hint: 'name a directory with $OCICTL_ROOT',
    });
  };
  const store = once(async () => {
    const { openLocalStore } = await import('./local-store.ts');
    return openLocalStore(await storeRoot());
  });
  const password = once(async () => {
    const { maxSecretBytes, readSecret } = await import('../terminal/prompt.ts');
    return readSecret(stdin(), { maxBytes: maxSecretBytes, signal });
  });
  const {
    settings,
    service,
    forgetHost,
    close: closeServices,
  } = createServices({
    async settings(more) {
      const loaded = await loadSettings({ flags: { ...flags, ...more }, env });
      tell(loaded.warnings);
      return loaded;
    },
    readPassword: password,
    onWait: (wait) => terminal.waiting(wait),
    service: {
      warn: (text) => diagnosing || tell([text]),
      userAgent: `ocictl/${version}`,
      ...(verbosity > 0 && { trace: (line: string) => terminal.note(terminal.paint('dim', line)) }),
      traceHeaders: verbosity > 1,
    },
  });
  const closings: (() => Promise<void>)[] = [];
  const roots: RootParts = { settings, warn: (text) => tell([text]), onOpen: (close) => closings.push(close) };
  const policies = createPolicies({ settings: base, service });
  const imageName = async (word: string, more?: ServiceFlags): Promise<string> => {
    if ((await base()).shortNames.value === 'docker') return word;
    const { nameImage } = await import('./short-name.ts');
    const { shortNameRules: rules } = await settings(more);
    const open = async (reference: Reference) => (await service(more)).open(reference, 'pull');
    return rules ? nameImage(word, { rules, open, note: terminal.note, signal }) : word;
  };
  return {
    terminal,
    signal,
    verbose: verbosity > 0,
    facts: { version, node: process.versions.node, platform: `${process.platform}/${process.arch}` },
    storeRoot: async () => (await base()).storeRoot?.value,
    async defaultPlatform() {
      return (await base()).defaultPlatform?.value ?? hostPlatform();
    },
    parallelUploads: async () => unlessDefault((await base()).maxConcurrentUploads),
    parallelDownloads: async () => unlessDefault((await base()).maxConcurrentDownloads),
    service,
    async logins(more) {
      const { createLogins } = await import('../service/logins/logins.ts');
      const warn = (text: string): void => terminal.warn(text);
      return createLogins({
        settings: await settings(more),
        service: await service(more),
        warn,
      });
    },
    async account({ username, passwordStdin }) {
      const { readIdentity } = await import('./identity-flags.ts');
      const whom = await readIdentity({ username, passwordStdin }, password);
      return whom === 'anonymous' ? undefined : whom;
    },
    async runWith(command, config) {
      const { runWithConfig } = await import('./run-program.ts');
      return runWithConfig(command, config, { env, tell: (text) => terminal.note(text) });
    },
    async *diagnose(reference, more) {
      if (reference) {
        const opened = await service(more);
        diagnosing = true;
        return yield* opened.diagnose(withDefaultTag(reference), { signal });
      }
      const { examineFiles, examineMachine, listLearned } = await import('../service/doctor/local.ts');
      const text = `ocictl ${version}, Node ${process.versions.node}, ${process.platform}/${process.arch}`;
      yield { topic: 'program', status: 'ok', text };
      const considered = await this.settingsFiles();
      yield* examineFiles(considered);
      if (considered.faults.length > 0) return;
      const found = await settings(more);
      yield* examineMachine(found, { signal });
      yield* listLearned(cacheDirectory(found.environment));
    },
    forgetHost,
    async describeSettings() {
      const { describeSettings } = await import('../config/describe.ts');
      return describeSettings(await settings());
    },
    async settingsFiles() {
      const { considerFiles } = await import('../config/considered-files.ts');
      return considerFiles({ flags, env });
    },
    stdin,
    async keptTrustedRoot() {
      const { keptTrustedRoot } = await import('./kept-trusted-root.ts');
      return keptTrustedRoot(cacheDirectory((await base()).environment));
    },
    // An empty one counts, as for cosign: keys may have no password.
    keyPassword: () => env['COSIGN_PASSWORD'],
    sourceDate: () => sourceDate(env),
    store,
    async *images(name) {
      const onDamage = (name: string, { message }: OciError): void => {
        terminal.warn(`${name} is damaged: ${message}. ocictl pull repairs it, ocictl rmi removes it`);
      };
      const { listImages } = await import('./local-store.ts');
      const platform = (await base()).defaultPlatform?.value;
      yield* listImages(await store(), { name, platform, signal, onDamage });
    },
    async findImage(word) {
      const { findImages, noSuchImage } = await import('../local-store/find.ts');
      const [image] = await findImages(await store(), word, { signal });
      if (!image) throw noSuchImage(word);
      return image;
    },
    async mountSource(reference) {
      const { mountSource } = await import('../local-store/mount-source.ts');
      return mountSource(await store(), reference, { signal });
    },
    async removeImage(word, opts) {
      const { removeImage } = await import('../local-store/remove.ts');
      return removeImage(await store(), word, { ...opts, signal });
    },
    async prune({ dryRun }) {
      const { pruneLocal } = await import('./collect.ts');
      return pruneLocal(await storeRoot(), { dryRun, signal });
    },
    async collectRegistry(root, opts) {
      const { collectRegistry } = await import('./collect.ts');
      return collectRegistry(root, { ...opts, signal, roots });
    },
    async registryStats(root, opts) {
      const { registryStats } = await import('./storage/whole-store.ts');
      return registryStats(root, roots, { ...opts, signal });
    },
    async checkRegistry(root, { flags: serviceFlags, ...opts }) {
      const { checkRegistry } = await import('./storage/whole-store.ts');
      const open = async (from: Pick<Reference, 'domain' | 'path'>) => (await service(serviceFlags)).open(from, 'pull');
      return checkRegistry(root, roots, { ...opts, signal, open });
    },
    async copyRegistry(from, to, opts) {
      const { copyRegistry } = await import('./storage/whole-store.ts');
      return copyRegistry(from, to, roots, { ...opts, signal });
    },
    async usage() {
      const { storeUsage } = await import('../local-store/content/usage.ts');
      return storeUsage(await store(), { signal });
    },
    async scrub(words, { repairWith, ...opts }) {
      const { scrubStore } = await import('../local-store/content/scrub.ts');
      const origin = async (from: Pick<Reference, 'domain' | 'path'>) => (await service(repairWith)).open(from, 'pull');
      return scrubStore(await store(), words, { ...opts, signal, ...(repairWith && { origin }) });
    },
    async openServed(options) {
      if (flags.dockerConfigDir !== undefined) {
        await (await import('./serve/config-flag.ts')).requireDirectory(flags.dockerConfigDir);
      }
      prepareForTraffic();
      const { openServed } = await import('./serve/registry.ts');
      return openServed(options, { storeRoot, roots, warn: terminal.warn });
    },
    async completeTags(word) {
      if (word === '') return [];
      const { completeTags } = await import('./complete-tags.ts');
      // Other commands tell of a broken settings file; names of the store are completed all the same.
      return settings().then(
        (found) => completeTags(word, { settings: found, signal }),
        () => [],
      );
    },
    imageName,
    hasPolicy: async ({ policy }) => policy !== undefined || (await base()).trust !== undefined,
    async openPlace(word, role, more) {
      const sources: PlaceSources = {
        signal,
        store,
        stdin,
        stdout: () => terminal.takeOut(),
        platform: () => this.defaultPlatform(),
        remote: async (reference, intent) => (await service(more)).open(reference, intent),
        note: terminal.note,
        async dockerDaemon() {
          const { findDaemon } = await import('../config/docker/daemon-endpoint.ts');
          const { environment, dockerConfigDir } = await settings(more);
          return findDaemon(environment, dockerConfigDir?.value);
        },
        imageName: (name) => imageName(name, more),
      };
      return policies.open(role, more, () => openPlace(word, role, sources));
    },
    async baseContent(word, more) {
      const { openBaseContent } = await import('./base-content.ts');
      return openBaseContent(word, (name) => this.openPlace(name, 'repository', more), { signal });
    },
    async openArchive(file, more) {
      const { openLoadable } = await import('../places/loadable-archive.ts');
      return openLoadable(file, { stdin, signal, judged: (open) => policies.open('source', more, open) });
    },
    async createReceipt(file) {
      const { createReceipt } = await import('../archive/receipt.ts');
      return createReceipt(file);
    },
    async openInput(word) {
      const { openInput } = await import('./user-files.ts');
      return openInput(word, stdin);
    },
    async openOutput(path) {
      const { openOutput } = await import('./user-files.ts');
      return openOutput(path, terminal);
    },
    async createConverter(conversion) {
      const { createConverter } = await import('../convert/converter.ts');
      return createConverter(conversion);
    },
    async keptEntries() {
      const directory = cacheDirectory((await base()).environment);
      const { KeptEntries } = await import('../image/layers/kept-entries.ts');
      return directory === undefined ? undefined : new KeptEntries(directory);
    },
    async createArchive(options) {
      const { createArchive } = await import('./archives.ts');
      return createArchive(options, terminal);
    },
    async close() {
      await Promise.allSettled(closings.map((end) => end()));
      await closeServices();
    },
  };
}

function unlessDefault({ value, origin }: Sourced<number>): number | undefined {
  return origin.kind === 'default' ? undefined : value;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
