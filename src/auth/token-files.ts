/**
 * Tokens that outlive a process, in the directory that the system keeps for one user while that user is logged in. Each registry has
 * a folder there, and each token a file. Its name is a keyed hash of what the token was issued for, with a key that is kept
 * there too, so that names tell nothing.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { PrivateDirectory } from '../files/private-directory.ts';
import { isOciError } from '../model/errors.ts';
import { parseJson } from '../model/json.ts';
import { ScopeSet } from './scopes.ts';
import { proofOf, type TokenCache, type TokenKey } from './token-cache.ts';
import { isTokenText, type Token } from './token-server.ts';

interface TokenFilesOptions {
  /** Exists, and is this user's alone: `$XDG_RUNTIME_DIR`. Otherwise nothing is kept. */
  readonly directory: string;
  /** Called once with why nothing can be kept. */
  readonly note?: ((text: string) => void) | undefined;
  /** Milliseconds since 1970. Tests pass their own clock. */
  readonly nowMs?: (() => number) | undefined;
}

const ours = 'ocictl';
const keyBytes = 32;
const format = 1;
const maxBytes = 1024 * 1024 + 1000;
/** In a folder. More are only in memory. */
const maxFiles = 1000;

/** The tokens of several registries. Reads nothing before a token is needed. */
export class TokenFiles {
  readonly #directory: string;
  readonly #note: TokenFilesOptions['note'];
  readonly #nowMs: () => number;
  #noted = false;
  #key: Uint8Array | undefined;
  /** By folder and token. */
  readonly #names = new Map<string, string>();

  constructor({ directory, note, nowMs = Date.now }: TokenFilesOptions) {
    this.#directory = directory;
    this.#note = note;
    this.#nowMs = nowMs;
  }

  /**
   * The tokens of one registry.
   *
   * @param host `docker.io`, or `host[:port]`.
   * @param memory Asked first; has what is kept as well.
   */
  of(host: string, memory: TokenCache): TokenCache {
    const folder = new PrivateDirectory(this.#directory, [ours, 'tokens', folderName(host)], { privateBase: true });
    const names = this.#names;
    const inFolder = (token: string): string => `${folder.path} ${token}`;
    let room: boolean | undefined;
    return {
      get: async (key) => {
        const held = await memory.get(key);
        if (held) return held;
        const name = this.#nameOf(key);
        const token = name && this.#trying(() => this.#parse(folder.read(name, maxBytes)));
        if (!name || !token) return undefined;
        names.set(inFolder(token.value), name);
        await memory.set(key, token);
        return token;
      },
      set: async (key, token) => {
        await memory.set(key, token);
        const name = this.#nameOf(key);
        if (!name) return;
        names.set(inFolder(token.value), name);
        this.#trying(() => {
          room ??= folder.sweep(this.#nowMs()) < maxFiles;
          if (room) folder.write(name, this.#format(token), { untilMs: token.expiresAtMs });
        });
      },
      forget: async (value) => {
        await memory.forget(value);
        const name = names.get(inFolder(value));
        if (name) this.#trying(() => folder.remove(name));
      },
      joined: async (key, request) => memory.joined?.(key, request) ?? request(),
      identify: async (credential) => this.#hash(JSON.stringify(credential ? proofOf(credential) : null)),
    };
  }

  #nameOf({ realm, service, identity, scopes }: TokenKey): string | undefined {
    return this.#hash(JSON.stringify([realm, service ?? null, identity, ScopeSet.of(scopes).toStrings()]));
  }

  #hash(text: string): string | undefined {
    this.#key ??= this.#trying(() => this.#readKey());
    return this.#key && createHmac('sha256', this.#key).update(text).digest('hex');
  }

  // Two first runs at once may each make one: the later stays, and the tokens of the other run are not found again.
  #readKey(): Uint8Array | undefined {
    const directory = new PrivateDirectory(this.#directory, [ours], { privateBase: true });
    const read = (): Uint8Array | undefined => {
      const key = directory.read('token-key', keyBytes);
      return key?.length === keyBytes ? key : undefined;
    };
    const known = read();
    if (known) return known;
    directory.write('token-key', randomBytes(keyBytes));
    return read();
  }

  #format({ value, expiresAtMs }: Token): string {
    return JSON.stringify({ format, sinceMs: this.#nowMs(), expiresAtMs, value });
  }

  #parse(bytes: Uint8Array | undefined): Token | undefined {
    const document = bytes && (parseJson(Buffer.from(bytes).toString('utf8')) as Partial<Kept> | null);
    if (document?.format !== format) return undefined;
    const { sinceMs, expiresAtMs, value } = document;
    const now = this.#nowMs();
    // A clock that was set back would keep it beyond its end.
    if (typeof sinceMs !== 'number' || sinceMs > now) return undefined;
    if (typeof expiresAtMs !== 'number' || expiresAtMs <= now || !isTokenText(value)) return undefined;
    return { value, expiresAtMs };
  }

  #trying<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      if (!isOciError(error) && !(error instanceof Error && 'code' in error)) throw error;
      if (!this.#noted) this.#note?.(`tokens are not kept in ${this.#directory}: ${error.message}`);
      this.#noted = true;
      return undefined;
    }
  }
}

interface Kept {
  readonly format: unknown;
  readonly sinceMs: unknown;
  readonly expiresAtMs: unknown;
  readonly value: unknown;
}

/**
 * Removes the tokens of one registry, or of all.
 *
 * @param directory As in TokenFilesOptions.
 * @returns Whether there were any.
 * @throws errors of the system.
 */
export function eraseTokens(directory: string, host: string | undefined): boolean {
  const levels = [ours, 'tokens', ...(host === undefined ? [] : [folderName(host)])];
  try {
    return new PrivateDirectory(directory, levels, { privateBase: true }).removeAll();
  } catch (error) {
    // Where it is not private nothing was kept.
    if (isOciError(error, 'STORAGE_DENIED')) return false;
    throw error;
  }
}

// Hosts whose names become the same share a folder, which is nothing to be told apart by.
function folderName(host: string): string {
  return host.replace(/[^A-Za-z0-9.-]+/g, '_').replace(/^\.+/, '_');
}
