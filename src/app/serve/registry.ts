/** Makes the registry that `ocictl serve` serves. A part of the composition root, loaded by that command alone. */
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

/** A client that has uploaded a layer has so long to push the manifest that names it. */
const keepUnusedMs = 60 * 60 * 1_000;

export interface ServedOptions extends TlsFlags {
  readonly root?: string | undefined;
  readonly memory?: boolean | undefined;
  readonly store?: boolean | undefined;
  readonly mirrorOf?: string | undefined;
  readonly readOnly?: boolean | undefined;
  /** Whether manifests are taken although blobs or children that they name are missing. */
  readonly sparse?: boolean | undefined;
  /** `htpasswd=FILE`, `token=REALM,service=NAME,issuer=NAME,cert=FILE` or `none`. */
  readonly auth?: string | undefined;
  /** The access file of a token issuer. */
  readonly issueTokens?: string | undefined;
  /** Networks of proxies whose word about clients counts. */
  readonly trustProxy?: readonly string[] | undefined;
}

export interface Served {
  readonly registry: Registry;
  /** For people: `the local store (read-only)`. */
  readonly what: string;
  readonly readOnly: boolean;
  /** Whether it is the local store, which a pull fills. */
  readonly localStore: boolean;
  /** Whose names it has left out, in canonical form. */
  readonly mirrorOf: string | undefined;
  /** Who may; everybody where it is absent. */
  readonly authorize: Authorize | undefined;
  /** Gives out tokens, where it does. */
  readonly issuer: TokenIssuer | undefined;
  /** What it proves itself with; plain http where absent. */
  readonly tls: WatchedTls | undefined;
  readonly isProxy: ((address: string) => boolean) | undefined;
  /** What else to tell the user who starts it. */
  readonly notes: readonly string[];
  /** An image that is there, to show how it is named. */
  readonly example: { readonly repo: RepositoryName; readonly tag: Tag } | undefined;
}

interface ServedParts {
  readonly storeRoot: () => Promise<string>;
  /** Told what goes wrong while it is served. */
  readonly warn: (text: string) => void;
}

/**
 * @throws OciError USAGE when nothing or an impossible mirror was named; CONFIG_INVALID for a file that says who may; STORAGE and STORAGE_DENIED when the directory
 *   cannot be read, or written where it must be.
 */
export async function openServed(options: ServedOptions, { storeRoot, warn }: ServedParts): Promise<Served> {
  if (options.issueTokens !== undefined && options.auth !== undefined) {
    throw new OciError('USAGE', 'conflicting options: --issue-tokens says who may, and --auth another way', {
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
  // Nobody may plant an image in an operator's local store over HTTP.
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

// Most who serve have no use for it.
async function openAuth(word: string, warn: (text: string) => void): Promise<Authorize | undefined> {
  return (await import('./auth.ts')).openAuth(word, warn);
}

async function openIssuer(file: string, place: IssuerPlace): Promise<ServedIssuer> {
  return (await import('./issuer.ts')).openIssuer(file, place);
}

/** Repositories that are looked at for one with a tag. */
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
  /** That of `--root`. */
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
    // What killed writers left of files that nobody has seen. It must not keep the registry from being served.
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

// What is wrong with the directory shows now, not at the first push. A new one is made, below one that exists.
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
    // Of a network file system only the attempt tells.
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

// `library/alpine` outside is the store's `docker.io/library/alpine`.
function mirrorOf(registry: Registry, domain: string): Registry {
  return renamed(registry, {
    inside: (path) => toStoreName({ domain, path }),
    outside: (name) => {
      const origin = fromStoreName(name);
      return origin?.domain === domain.toLowerCase() ? origin.path : undefined;
    },
  });
}
