import { randomUUID } from 'node:crypto';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { BlobWriter, Registry, SignalOption } from '../registry/registry.ts';
import { holderOf } from './http/addresses.ts';

/** IDs that can be sent to clients unchanged. */
const plainId = /^[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,127}$/;

/** Errors after which the session no longer exists. */
const goneCodes = ['BLOB_UPLOAD_UNKNOWN', 'DIGEST_MISMATCH', 'SIZE_MISMATCH'] as const;

interface Slot {
  readonly key: string;
  readonly repo: RepositoryName;
  readonly publicId: string;
  /** The client's address; empty for a session of an earlier run. */
  readonly holder: string;
  /** The registry's current ID of the session; it may change with every chunk. */
  id: string;
  /** Resolves when the last waiting request has finished. */
  tail: Promise<void>;
  users: number;
  usedAtMs: number;
  /** Whether it became a blob or was cancelled. */
  ended: boolean;
}

interface SessionLimits {
  /** How long a request waits for another one on the same session. */
  readonly waitMs: number;
  /** Idle time after which a session is cancelled. */
  readonly idleMs: number;
  /**
   * Maximum number of open sessions. At the limit, the longest idle one is cancelled if it was idle for `restMs`;
   * otherwise one of the address with most sessions, if the new session's address has fewer.
   */
  readonly maxOpen: number;
  readonly restMs: number;
}

interface RequestOptions extends SignalOption {
  readonly registry: Registry;
  /** Of the blob that the request completes. */
  readonly digest?: Digest | undefined;
}

/**
 * The upload sessions that clients have open. Requests on one session run one after the other.
 *
 * A registry's ID that is not a plain word, such as the URL of a remote, is replaced by another one: if the client sent
 * the URL back, it could make this server connect to any address (request forgery).
 */
export class UploadSessions {
  readonly #registry: Registry;
  readonly #limits: SessionLimits;
  /** Sessions of this run, the longest idle first. */
  readonly #slots = new Map<string, Slot>();

  constructor(registry: Registry, limits: SessionLimits) {
    this.#registry = registry;
    this.#limits = limits;
  }

  /**
   * Adds a session that was just opened, and closes its writer.
   *
   * @param remoteAddress Of the client.
   * @returns The ID for the client.
   * @throws OciError TOOMANYREQUESTS if too many are open; this one is cancelled then.
   */
  async add(repo: RepositoryName, writer: BlobWriter, remoteAddress: string): Promise<string> {
    const holder = holderOf(remoteAddress);
    if (this.#slots.size >= this.#limits.maxOpen && !(await this.#giveWay(holder))) {
      await writer.cancel();
      throw new OciError('TOOMANYREQUESTS', 'too many uploads are open here', { retryAfterMs: this.#limits.restMs });
    }
    await writer[Symbol.asyncDispose]();
    const publicId = plainId.test(writer.id) ? writer.id : randomUUID();
    this.#settle(newSlot(repo, publicId, { id: writer.id, holder }));
    return publicId;
  }

  /**
   * Works on a session and releases it. The registry then has what was written.
   *
   * @param opts.registry The registry for this request.
   * @throws OciError BLOB_UPLOAD_UNKNOWN; TOOMANYREQUESTS if another request holds the session for too long.
   */
  async use<T>(
    repo: RepositoryName,
    publicId: string,
    work: (writer: BlobWriter) => Promise<T>,
    opts: RequestOptions,
  ): Promise<T> {
    const slot = this.#slotOf(repo, publicId);
    slot.users += 1;
    try {
      const leave = await this.#enter(slot);
      try {
        return await this.#work(repo, slot, work, opts);
      } catch (error) {
        if (isOciError(error, ...goneCodes)) slot.ended = true;
        throw error;
      } finally {
        leave();
      }
    } finally {
      slot.users -= 1;
      this.#settle(slot);
    }
  }

  /** To be called by the work that ends a session. */
  ended(repo: RepositoryName, publicId: string): void {
    const slot = this.#slots.get(keyOf(repo, publicId));
    if (slot) slot.ended = true;
  }

  /** Cancels the sessions of this run that were idle for too long. */
  async expire(): Promise<void> {
    const before = performance.now() - this.#limits.idleMs;
    for (const slot of [...this.#slots.values()]) {
      if (slot.users === 0 && slot.usedAtMs <= before) await this.#giveUp(slot);
    }
  }

  async #giveWay(holder: string): Promise<boolean> {
    const victim = this.#restingLong() ?? this.#ofWhoeverHasMost(holder);
    if (victim === undefined) return false;
    await this.#giveUp(victim);
    return true;
  }

  #restingLong(): Slot | undefined {
    const before = performance.now() - this.#limits.restMs;
    const first = [...this.#slots.values()].find(({ users }) => users === 0);
    return first !== undefined && first.usedAtMs <= before ? first : undefined;
  }

  #ofWhoeverHasMost(holder: string): Slot | undefined {
    const counts = new Map([[holder, 1]]);
    for (const slot of this.#slots.values()) counts.set(slot.holder, (counts.get(slot.holder) ?? 0) + 1);
    const most = Math.max(...counts.values());
    if (most <= (counts.get(holder) ?? 0)) return undefined;
    return [...this.#slots.values()].find((slot) => slot.users === 0 && counts.get(slot.holder) === most);
  }

  // A session that cannot be cancelled is no longer counted, and left to the cleaning of the registry.
  async #giveUp(slot: Slot): Promise<void> {
    this.#slots.delete(slot.key);
    try {
      const writer = await this.#registry.resumeUpload(slot.repo, slot.id);
      await writer.cancel();
    } catch {
      // It is gone already, or the registry fails: the next request will report that.
    }
  }

  async #work<T>(
    repo: RepositoryName,
    slot: Slot,
    work: (writer: BlobWriter) => Promise<T>,
    opts: RequestOptions,
  ): Promise<T> {
    const writer = await opts.registry.resumeUpload(repo, slot.id, { signal: opts.signal, digest: opts.digest });
    let result: T;
    try {
      result = await work(writer);
    } catch (error) {
      await Promise.resolve(writer[Symbol.asyncDispose]()).catch(() => {});
      throw error;
    } finally {
      slot.id = writer.id;
    }
    // On a full disk, closing may fail: the registry has the chunk only if it succeeds.
    await writer[Symbol.asyncDispose]();
    return result;
  }

  #slotOf(repo: RepositoryName, publicId: string): Slot {
    const known = this.#slots.get(keyOf(repo, publicId));
    if (known) return known;
    if (!plainId.test(publicId)) throw new OciError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload session');
    const slot = newSlot(repo, publicId, { id: publicId, holder: '' });
    this.#slots.set(slot.key, slot);
    return slot;
  }

  async #enter(slot: Slot): Promise<() => void> {
    const before = slot.tail;
    let leave = (): void => {};
    slot.tail = new Promise((resolve) => {
      leave = resolve;
    });
    if (slot.users === 1) return leave;
    let timer: NodeJS.Timeout | undefined;
    const busy = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), this.#limits.waitMs);
    });
    const tooLong = await Promise.race([before, busy]);
    clearTimeout(timer);
    if (!tooLong) return leave;
    void before.then(leave);
    throw new OciError('TOOMANYREQUESTS', 'another request is using this upload session', { retryAfterMs: 1000 });
  }

  #settle(slot: Slot): void {
    if (slot.users > 0) return;
    this.#slots.delete(slot.key);
    if (slot.ended) return;
    slot.usedAtMs = performance.now();
    this.#slots.set(slot.key, slot);
  }
}

function newSlot(
  repo: RepositoryName,
  publicId: string,
  { id, holder }: { readonly id: string; readonly holder: string },
): Slot {
  const tail = Promise.resolve();
  return { key: keyOf(repo, publicId), repo, publicId, holder, id, tail, users: 0, usedAtMs: 0, ended: false };
}

function keyOf(repo: RepositoryName, publicId: string): string {
  return `${repo} ${publicId}`;
}
