import { randomUUID } from 'node:crypto';
import type { Descriptor } from '../model/descriptor.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { RepositoryName } from '../model/reference.ts';
import type { BlobWriter, Registry, SignalOption } from '../registry/registry.ts';

/** Ids that go over the wire as they are. */
const plainId = /^[A-Za-z0-9_~-](?:[A-Za-z0-9_.~-]{0,127})$/;

export interface SessionLimits {
  /** Writers kept open between requests, with their running hashes. */
  readonly maxOpen: number;
  /** How long a writer is kept open between requests, in milliseconds. */
  readonly idleMs: number;
  /** How long a request waits for another one on the same session, in milliseconds. */
  readonly waitMs: number;
}

interface Slot {
  readonly repo: RepositoryName;
  readonly publicId: string;
  /** What the registry calls the session now; it may change with every chunk. */
  id: string;
  writer: BlobWriter | undefined;
  /** Resolves when the last request in the queue has left. */
  tail: Promise<void>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The upload sessions that clients have open. Requests on one session run one after the other. Writers stay open between
 * requests, so that a registry need not hash again what a client sends in several chunks; any of them can be closed and
 * resumed.
 *
 * A registry's id that is no plain word, as a remote's URL, gets a name of its own: taken from the client, it would let
 * anyone make this server talk to any address (request forgery).
 */
export class UploadSessions {
  readonly #registry: Registry;
  readonly #limits: SessionLimits;
  readonly #slots = new Map<string, Slot>();

  constructor(registry: Registry, limits: SessionLimits) {
    this.#registry = registry;
    this.#limits = limits;
  }

  /** Takes in a writer that was just opened. @returns The id that clients know the session by. */
  add(repo: RepositoryName, writer: BlobWriter): string {
    const publicId = plainId.test(writer.id) ? writer.id : randomUUID();
    const slot = newSlot(repo, publicId, writer.id);
    slot.writer = writer;
    this.#slots.set(keyOf(repo, publicId), slot);
    this.#settle(slot);
    return publicId;
  }

  /** @throws OciError BLOB_UPLOAD_UNKNOWN; TOOMANYREQUESTS when another request holds the session for too long. */
  async use<T>(
    repo: RepositoryName,
    publicId: string,
    work: (session: UploadSession) => Promise<T>,
    opts: SignalOption = {},
  ): Promise<T> {
    const slot = this.#slotOf(repo, publicId);
    slot.users += 1;
    clearTimeout(slot.timer);
    const leave = await this.#enter(slot).catch((error: unknown) => {
      slot.users -= 1;
      throw error;
    });
    try {
      slot.writer ??= await this.#registry.resumeUpload(repo, slot.id, opts);
      const session = new UploadSession(publicId, slot.writer, opts);
      try {
        return await work(session);
      } finally {
        slot.id = slot.writer.id;
        if (session.fate !== 'open') await this.#close(slot);
        if (session.fate === 'ended') slot.id = publicId;
      }
    } finally {
      slot.users -= 1;
      leave();
      this.#settle(slot);
    }
  }

  /** Closes every writer; the sessions stay resumable. */
  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => this.#close(slot)));
    this.#slots.clear();
  }

  #slotOf(repo: RepositoryName, publicId: string): Slot {
    const key = keyOf(repo, publicId);
    let slot = this.#slots.get(key);
    if (!slot) {
      if (!plainId.test(publicId)) throw unknown();
      slot = newSlot(repo, publicId, publicId);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  async #enter(slot: Slot): Promise<() => void> {
    const before = slot.tail;
    let leave = (): void => {};
    slot.tail = new Promise((resolve) => {
      leave = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<'busy'>((resolve) => {
      timer = setTimeout(() => resolve('busy'), this.#limits.waitMs);
    });
    const turn = await Promise.race([before, tooLong]);
    clearTimeout(timer);
    if (turn !== 'busy') return leave;
    void before.then(leave);
    throw new OciError('TOOMANYREQUESTS', 'another request is using this upload session', { retryAfterMs: 1000 });
  }

  // What is not in use goes to the end of the map; the first of it is closed when there is too much.
  #settle(slot: Slot): void {
    if (slot.users > 0) return;
    const key = keyOf(slot.repo, slot.publicId);
    this.#slots.delete(key);
    if (slot.writer === undefined && slot.id === slot.publicId) return;
    this.#slots.set(key, slot);
    if (slot.writer) slot.timer = setTimeout(() => this.#evict(slot), this.#limits.idleMs).unref();
    const open = [...this.#slots.values()].filter((other) => other.writer !== undefined);
    const idle = open.find((other) => other.users === 0);
    if (open.length > this.#limits.maxOpen && idle) this.#evict(idle);
    this.#forgetOldest();
  }

  // In the session's queue, so that a request that comes now resumes only what has been closed.
  #evict(slot: Slot): void {
    clearTimeout(slot.timer);
    slot.tail = slot.tail.then(() => this.#close(slot));
  }

  #forgetOldest(): void {
    if (this.#slots.size <= 10_000) return;
    for (const [key, slot] of this.#slots) {
      if (slot.users > 0 || slot.writer) continue;
      this.#slots.delete(key);
      return;
    }
  }

  async #close(slot: Slot): Promise<void> {
    clearTimeout(slot.timer);
    const { writer } = slot;
    slot.writer = undefined;
    try {
      await writer?.[Symbol.asyncDispose]();
    } catch {
      // The session is resumed from what the registry holds; a writer that cannot even close has nothing to add.
    }
    if (slot.users === 0 && slot.id === slot.publicId) this.#slots.delete(keyOf(slot.repo, slot.publicId));
  }
}

/** One request's turn on a session. */
export class UploadSession {
  readonly id: string;
  /** `broken`: the writer is of no more use, the session may be resumed. */
  fate: 'open' | 'broken' | 'ended' = 'open';
  readonly #writer: BlobWriter;
  readonly #opts: SignalOption;

  constructor(id: string, writer: BlobWriter, opts: SignalOption) {
    this.id = id;
    this.#writer = writer;
    this.#opts = opts;
  }

  get size(): number {
    return this.#writer.size;
  }

  get chunkBytes(): number {
    return this.#writer.chunkBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(chunk, this.#opts);
    } catch (error) {
      this.fate = 'broken';
      throw error;
    }
  }

  async commit(digest: Digest): Promise<Descriptor> {
    try {
      const descriptor = await this.#writer.commit({ digest }, this.#opts);
      this.fate = 'ended';
      return descriptor;
    } catch (error) {
      this.fate = isOciError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH') ? 'ended' : 'broken';
      throw error;
    }
  }

  async cancel(): Promise<void> {
    this.fate = 'broken';
    await this.#writer.cancel();
    this.fate = 'ended';
  }
}

function newSlot(repo: RepositoryName, publicId: string, id: string): Slot {
  return { repo, publicId, id, writer: undefined, tail: Promise.resolve(), users: 0, timer: undefined };
}

function keyOf(repo: RepositoryName, publicId: string): string {
  return `${repo} ${publicId}`;
}

function unknown(): OciError {
  return new OciError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload session');
}
