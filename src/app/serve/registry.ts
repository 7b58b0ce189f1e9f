/** Opens the registry that `ocictl serve` serves. Part of the composition root, loaded by that command only. */
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileError, hasErrno } from '../../files/file-errors.ts';
import { OciError } from '../../model/errors.ts';
import {
  fromStoreName,
  parseReference,
  type RepositoryName,
  type Tag,
  toStoreName,
} from '../../model/reference/reference.ts';
import type { Registry } from '../../registry/registry.ts';
import { readOnly } from '../../registry/wrappers/read-only.ts';
import { renamed } from '../../registry/wrappers/renamed.ts';
import type { Authorize } from '../../server/auth/access.ts';
import type { TokenIssuer } from '../../server/auth/token-issuer.ts';
import { openFilesystemDriver } from '../../storage/drivers/filesystem.ts';
import { refuseFoldedCase } from '../../storage/drivers/folded-case.ts';
import { createMemoryDriver } from '../../storage/drivers/memory.ts';
import { createStorage } from '../../storage/storage.ts';
import type { IssuerPlace, ServedIssuer } from './issuer.ts';
import type { TlsFlags, WatchedTls } from './tls.ts';

/** The time a client has after an upload to push the manifest that names the blob. */
const keepUnusedMs = 60 * 60 * 1_000;

export interface ServedOptions extends TlsFlags {
  readonly root?: string | undefined;
  readonly memory?: boolean | undefined;
  readonly store?: boolean | undefined;
  readonly mirrorOf?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Whether manifests are accepted although blobs or children that they name are missing. */
  readonly sparse?: boolean | undefined;
  /** `htpasswd=FILE`, `token=REALM,service=NAME,issuer=NAME,cert=FILE` or `none`. */
  readonly auth?: string | undefined;
  /** The access file of a token issuer. */
  readonly issueTokens?: string | undefined;
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
  /** Further notes for the user who starts it. */
  readonly notes: readonly string[];
  /** An image that is present, to show how it is named. */
  readonly example: { readonly repo: RepositoryName; readonly tag: Tag } | undefined;
}

interface ServedParts {
  readonly storeRoot: () => Promise<string>;
  /** Called with problems while it is served. */
  readonly warn: (text: string) => void;
}

/**
 * @throws OciError USAGE if nothing or an invalid mirror was named; CONFIG_INVALID for an invalid file of accounts or
 * keys; STORAGE and STORAGE_DENIED if the directory cannot be read, or written although it must be.
 */
export async function openServed(options: ServedOptions, { storeRoot, warn }: ServedParts): Promise<Served> {
  if (options.issueTokens !== undefined && options.auth !== undefined) {
    throw new OciError('USAGE', 'conflicting options: --issue-tokens and --auth both decide who has access', {
      hint: 'leave out --auth: the registry takes the tokens that it gives out',
    });
  }
  const isProxy = options.trustProxy?.length ? (await import('./proxies.ts')).proxiesIn(options.trustProxy) : undefined;
  const tls = needsTls(options) ? await (await import('./tls.ts')).openTls(options, warn) : undefined;
  const authorize = options.auth === undefined ? undefined : await openAuth(options.auth, warn);
  const { registry, what, locked, directory } = await openPlace(options, storeRoot);
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
    notes: issued?.notes ?? [],
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
  /** The directory of `--root`. */
  readonly directory?: string;
}

async function openPlace(
  { root, memory, store, readOnly, sparse }: ServedOptions,
  storeRoot: () => Promise<string>,
): Promise<Place> {
  if (root !== undefined) {
    const directory = resolve(root);
    await prepareRoot(directory, readOnly === true);
    const driver = await openFilesystemDriver({ root: directory, readOnly: readOnly === true });
    // Remove drafts that killed writers left. A failure must not keep the registry from being served.
    if (!driver.readOnly) await driver.tidy?.().catch(() => {});
    const registry = createStorage({ driver, name: root, keepUnusedMs, sparse });
    return { registry, what: root, locked: false, directory };
  }
  if (memory) {
    const registry = createStorage({ driver: createMemoryDriver(), name: 'memory', sparse });
    return { registry, what: 'memory', locked: false };
  }
  if (store) {
    const driver = await openFilesystemDriver({ root: await storeRoot(), readOnly: true });
    const registry = createStorage({ driver, name: 'the local store', sparseIndexes: true });
    return { registry, what: 'the local store', locked: true };
  }
  throw new OciError('USAGE', 'nothing to serve', {
    hint: 'name a directory with --root, or use --memory, or --store for the images that were pulled here',
  });
}

// Check the directory now, not at the first push. A missing one is created if its parent exists.
async function prepareRoot(directory: string, readOnly: boolean): Promise<void> {
  const elsewhere = 'name another directory with --root';
  try {
    if ((await kindOf(directory)) === 'absent') {
      if (readOnly || (await kindOf(dirname(directory))) === 'absent') {
        const missing = readOnly ? directory : dirname(directory);
        throw new OciError('STORAGE', `there is no directory ${missing}`, { hint: `make it first, or ${elsewhere}` });
      }
      await mkdir(directory, { mode: 0o700 });
    }
    if ((await kindOf(directory)) === 'other') {
      throw new OciError('STORAGE', `${directory} is not a directory`, { hint: elsewhere });
    }
    await access(directory, constants.R_OK | constants.X_OK);
    // On a network file system only an attempt shows this.
    if (!readOnly) await refuseFoldedCase(directory);
  } catch (error) {
    throw fileError(error, readOnly ? 'read' : 'write to', directory, { full: 'make room there', elsewhere });
  }
}

async function kindOf(path: string): Promise<'directory' | 'absent' | 'other'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 'absent';
    if (hasErrno(error, 'ENOTDIR')) return 'other';
    throw error;
  }
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
