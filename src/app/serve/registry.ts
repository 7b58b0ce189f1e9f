/** Opens the registry that `ocictl serve` serves. Part of the composition root, loaded by that command only. */
import { OciError } from '../../model/errors.ts';
import {
  fromStoreName,
  parseReference,
  type RepositoryName,
  type Tag,
  toStoreName,
} from '../../model/reference/reference.ts';
import { type CollectResult, garbageCollector } from '../../registry/extensions.ts';
import type { Registry } from '../../registry/registry.ts';
import { readOnly } from '../../registry/wrappers/read-only.ts';
import { renamed } from '../../registry/wrappers/renamed.ts';
import type { Authorize } from '../../server/auth/access.ts';
import type { TokenIssuer } from '../../server/auth/token-issuer.ts';
import { takeTurn } from '../../storage/collect/turn.ts';
import type { Driver } from '../../storage/driver.ts';
import { openFilesystemDriver } from '../../storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../storage/drivers/memory.ts';
import { createStorage } from '../../storage/storage.ts';
import { openRoot } from '../storage/open-root.ts';
import type { RootParts } from '../storage/store-root.ts';
import type { IssuerPlace, ServedIssuer } from './issuer.ts';
import { type RedirectFlags, type Redirects, readRedirects } from './redirects.ts';
import type { TlsFlags, WatchedTls } from './tls.ts';

/** The time a client has after an upload to push the manifest that names the blob. */
const keepUnusedMs = 60 * 60 * 1_000;
/** The age of uploads that a collection removes. */
const unfinishedMs = 24 * 60 * 60 * 1_000;

export interface ServedOptions extends TlsFlags, RedirectFlags {
  readonly root?: string | undefined;
  readonly memory?: boolean | undefined;
  readonly store?: boolean | undefined;
  readonly mirrorOf?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Whether manifests are accepted although blobs or children that they name are missing. */
  readonly sparse?: boolean | undefined;
  /** Whether other processes serve the same directory to the same clients. */
  readonly shared?: boolean | undefined;
  /** `htpasswd=FILE`, `token=REALM,service=NAME,issuer=NAME,cert=FILE` or `none`. */
  readonly auth?: string | undefined;
  /** The access file of a token issuer. */
  readonly issueTokens?: string | undefined;
  /** Makes what measures the calls of a driver; `driver` is its name in distribution. */
  readonly observeStorage?: ((driver: string) => (action: string, seconds: number) => void) | undefined;
  /** Networks of proxies whose forwarding headers are trusted. */
  readonly trustProxy?: readonly string[] | undefined;
}

export interface Served {
  readonly registry: Registry;
  /** For people: `the local store (read-only)`. */
  readonly what: string;
  readonly readOnly: boolean;
  /** Whether it is the local store, which pulls fill. */
  readonly localStore: boolean;
  /** The registry whose host is left out of the names, in canonical form. */
  readonly mirrorOf: string | undefined;
  /** Decides about access; if absent, everyone has access. */
  readonly authorize: Authorize | undefined;
  /** Issues tokens, if it does. */
  readonly issuer: TokenIssuer | undefined;
  /** Its certificate; if absent, it serves plain http. */
  readonly tls: WatchedTls | undefined;
  readonly isProxy: ((address: string) => boolean) | undefined;
  /** Collects garbage, unless another process has done so within the interval. Undefined where nothing can be collected. */
  readonly collect:
    | ((opts: { readonly intervalMs: number; readonly signal: AbortSignal }) => Promise<CollectResult | undefined>)
    | undefined;
  /** Whether a client gets a blob from the store itself; if absent, none does. */
  readonly redirects: Redirects['applies'] | undefined;
  /** Further notes for the user who starts it. */
  readonly notes: readonly string[];
  /** An image that is present, to show how it is named. */
  readonly example: { readonly repo: RepositoryName; readonly tag: Tag } | undefined;
}

interface ServedParts {
  readonly roots: RootParts;
  readonly storeRoot: () => Promise<string>;
  /** Called with problems while it is served. */
  readonly warn: (text: string) => void;
}

/**
 * @throws OciError USAGE if nothing or an invalid mirror was named; CONFIG_INVALID for an invalid file of accounts or
 * keys; STORAGE and STORAGE_DENIED if the directory cannot be read, or written although it must be.
 */
export async function openServed(options: ServedOptions, { storeRoot, roots, warn }: ServedParts): Promise<Served> {
  if (options.issueTokens !== undefined && options.auth !== undefined) {
    throw new OciError('USAGE', 'conflicting options: --issue-tokens and --auth both decide who has access', {
      hint: 'leave out --auth: the registry takes the tokens that it gives out',
    });
  }
  const isProxy = options.trustProxy?.length
    ? (await import('./networks.ts')).networksIn('--trust-proxy', options.trustProxy)
    : undefined;
  const tls = needsTls(options) ? await (await import('./tls.ts')).openTls(options, warn) : undefined;
  const authorize = options.auth === undefined ? undefined : await openAuth(options.auth, warn);
  const redirects = readRedirects(options, warn);
  const { registry, what, locked, directory, collect } = await openPlace(options, { storeRoot, roots }, redirects);
  const issued =
    options.issueTokens === undefined
      ? undefined
      : await openIssuer(options.issueTokens, { root: directory, readOnly: options.readOnly === true, warn });
  const domain = options.mirrorOf === undefined ? undefined : parseReference(`${options.mirrorOf}/a/b`).domain;
  const mirrored = domain === undefined ? registry : mirrorOf(registry, domain);
  // Nobody may put an image into a user's local store over HTTP.
  const sealed = locked || options.readOnly === true;
  const description = [what, domain !== undefined && `as a mirror of ${domain}`, sealed && '(read-only)'];
  return {
    registry: sealed ? readOnly(mirrored) : mirrored,
    what: description.filter(Boolean).join(' '),
    readOnly: sealed,
    localStore: locked,
    mirrorOf: domain,
    authorize: issued?.authorize ?? authorize,
    issuer: issued?.issuer,
    tls,
    isProxy,
    collect,
    redirects: redirects?.applies,
    notes: [...(issued?.notes ?? []), ...openBlobs(redirects, issued?.authorize ?? authorize)],
    example: await findExample(mirrored),
  };
}

function needsTls({ tlsCert, tlsKey, clientCa }: TlsFlags): boolean {
  return (tlsCert ?? tlsKey ?? clientCa) !== undefined;
}

// Loaded only when needed: most servers have no access control.
async function openAuth(word: string, warn: (text: string) => void): Promise<Authorize | undefined> {
  return (await import('./auth.ts')).openAuth(word, warn);
}

async function openIssuer(file: string, place: IssuerPlace): Promise<ServedIssuer> {
  return (await import('./issuer.ts')).openIssuer(file, place);
}

function openBlobs(redirects: Redirects | undefined, authorize: Authorize | undefined): readonly string[] {
  if (redirects?.openAt === undefined || authorize === undefined) return [];
  return [`whoever knows a digest gets the blob at ${redirects.openAt}, unless that server asks for a login too`];
}

/** The number of repositories that are searched for a tag. */
const maxLooked = 20;

async function findExample(registry: Registry): Promise<Served['example']> {
  for await (const repo of registry.repositories({ limit: maxLooked })) {
    for await (const tag of registry.tags(repo, { limit: 1 })) return { repo, tag };
  }
  return undefined;
}

interface Place {
  readonly registry: Registry;
  readonly what: string;
  readonly locked: boolean;
  readonly collect?: Served['collect'];
  /** The directory of `--root`, if it names one. */
  readonly directory?: string | undefined;
}

async function openPlace(
  { root, memory, store, readOnly, sparse, shared, observeStorage }: ServedOptions,
  { storeRoot, roots }: Pick<ServedParts, 'storeRoot' | 'roots'>,
  redirects: Redirects | undefined,
): Promise<Place> {
  const observe = async (driver: Driver, name: string): Promise<Driver> =>
    observeStorage === undefined
      ? driver
      : (await import('../../storage/drivers/measured.ts')).measured(driver, observeStorage(name));
  if (root !== undefined) {
    const opened = await openRoot(root, roots, { readOnly, shared });
    const { name, directory } = opened;
    const driver = await observe(opened.driver, directory === undefined ? 's3aws' : 'filesystem');
    const blobUrls = await redirects?.signer({ ...opened, driver });
    // Remove drafts that killed writers left. A failure must not keep the registry from being served.
    if (!driver.readOnly) await driver.tidy?.().catch(() => {});
    const registry = createStorage({ driver, name, keepUnusedMs, sparse, blobUrls });
    const collect: Served['collect'] = async ({ intervalMs, signal }) => {
      if (!(await takeTurn(driver, intervalMs))) return undefined;
      const waits = { graceMs: keepUnusedMs, unfinishedMs };
      return await registry.extension(garbageCollector)?.collect({ ...waits, signal, onRemoved: () => {} });
    };
    return { registry, what: name, locked: false, directory, ...(!driver.readOnly && { collect }) };
  }
  if (memory) {
    const [driver, name] = [await observe(createMemoryDriver(), 'inmemory'), 'memory'];
    const blobUrls = await redirects?.signer({ driver, name });
    return { registry: createStorage({ driver, name, sparse, blobUrls }), what: name, locked: false };
  }
  if (store) {
    const local = await openFilesystemDriver({ root: await storeRoot(), readOnly: true });
    const driver = await observe(local, 'filesystem');
    const name = 'the local store';
    const blobUrls = await redirects?.signer({ driver, name });
    return { registry: createStorage({ driver, name, sparseIndexes: true, blobUrls }), what: name, locked: true };
  }
  throw new OciError('USAGE', 'nothing to serve', {
    hint: 'name a directory with --root, or use --memory, or --store for the images that were pulled here',
  });
}

// `library/alpine` outside is `docker.io/library/alpine` in the store.
function mirrorOf(registry: Registry, domain: string): Registry {
  return renamed(registry, {
    inside: (path) => toStoreName({ domain, path }),
    outside: (name) => {
      const origin = fromStoreName(name);
      return origin?.domain === domain.toLowerCase() ? origin.path : undefined;
    },
  });
}
