import { randomUUID } from 'node:crypto';
import { OciError } from '../model/errors.ts';
import type { RepositoryName } from '../model/reference.ts';
import type { BlobWriter, Registry, SignalOption } from '../registry/registry.ts';

/** Ids that go over the wire as they are. */
const plainId = /^[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,127}$/;

/** Sessions with a name of their own that are remembered. */
const maxNamed = 10_000;

interface Slot {
  readonly key: string;
  readonly publicId: string;
  /** What the registry calls the session now; it may change with every chunk. */
  id: string;
  /** Resolves when the last request in the queue has left. */
  tail: Promise<void>;
  users: number;
}

/**
 * The upload sessions that clients have open. Requests on one session run one after the other.
 *
 * A registry's id that is no plain word, as a remote's URL, gets a name of its own: taken from the client, it would let
 * anyone make this server talk to any address (request forgery).
 */
export class UploadSessions {
  readonly #registry: Registry;
  readonly #waitMs: number;
  readonly #slots = new Map<string, Slot>();

  /** @param opts.waitMs How long a request waits for another one on the same session. */
  constructor(registry: Registry, opts: { readonly waitMs: number }) {
    this.#registry = registry;
    this.#waitMs = opts.waitMs;
  }

  /** Takes in a session that was just opened, and closes its writer. @returns The id that clients know it by. */
  async add(repo: RepositoryName, writer: BlobWriter): Promise<string> {
    await writer[Symbol.asyncDispose]();
    const publicId = plainId.test(writer.id) ? writer.id : randomUUID();
    this.#settle(newSlot(repo, publicId, writer.id));
    return publicId;
  }

  /**
   * Works on a session and lets go of it: what was written is then in the registry.
   *
   * @throws OciError BLOB_UPLOAD_UNKNOWN; TOOMANYREQUESTS when another request holds the session for too long.
   */
  async use<T>(
    repo: RepositoryName,
    publicId: string,
    work: (writer: BlobWriter) => Promise<T>,
    opts: SignalOption,
  ): Promise<T> {
    const slot = this.#slotOf(repo, publicId);
    slot.users += 1;
    try {
      const leave = await this.#enter(slot);
      try {
        return await this.#work(repo, slot, work, opts);
      } finally {
        leave();
      }
    } finally {
      slot.users -= 1;
      this.#settle(slot);
    }
  }

  async #work<T>(
    repo: RepositoryName,
    slot: Slot,
    work: (writer: BlobWriter) => Promise<T>,
    opts: SignalOption,
  ): Promise<T> {
    const writer = await this.#registry.resumeUpload(repo, slot.id, opts);
    let result: T;
    try {
      result = await work(writer);
    } catch (error) {
      await Promise.resolve(writer[Symbol.asyncDispose]()).catch(() => {});
      throw error;
    } finally {
      slot.id = writer.id;
    }
    // Closing may be what fails on a full disk: only then is the chunk in the registry.
    await writer[Symbol.asyncDispose]();
    return result;
  }

  #slotOf(repo: RepositoryName, publicId: string): Slot {
    const known = this.#slots.get(keyOf(repo, publicId));
    if (known) return known;
    if (!plainId.test(publicId)) throw new OciError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload session');
    const slot = newSlot(repo, publicId, publicId);
    this.#slots.set(slot.key, slot);
    return slot;
  }

  async #enter(slot: Slot): Promise<() => void> {
    const before = slot.tail;
    let leave = (): void => {};
    slot.tail = new Promise((resolve) => {
      leave = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    const busy = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), this.#waitMs);
    });
    const tooLong = await Promise.race([before, busy]);
    clearTimeout(timer);
    if (!tooLong) return leave;
    void before.then(leave);
    throw new OciError('TOOMANYREQUESTS', 'another request is using this upload session', { retryAfterMs: 1000 });
  }

  // Only a session whose name the registry does not know has to be remembered; the last used are.
  #settle(slot: Slot): void {
    if (slot.users > 0) return;
    this.#slots.delete(slot.key);
    if (slot.id === slot.publicId) return;
    this.#slots.set(slot.key, slot);
    if (this.#slots.size <= maxNamed) return;
    const oldest = [...this.#slots.values()].find(({ users }) => users === 0);
    if (oldest) this.#slots.delete(oldest.key);
  }
}

function newSlot(repo: RepositoryName, publicId: string, id: string): Slot {
  return { key: keyOf(repo, publicId), publicId, id, tail: Promise.resolve(), users: 0 };
}

function keyOf(repo: RepositoryName, publicId: string): string {
  return `${repo} ${publicId}`;
}
