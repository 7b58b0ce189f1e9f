/** What the transfers of a batch share about a repository that they write to. */
import type { Digest } from '../model/digest.ts';
import type { NodeOutcome } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { childrenOf, type Manifest } from '../model/manifest/manifest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { ChangedBlob } from './options.ts';
import type { Room } from './room.ts';
import type { Site } from './site.ts';
import { Slots } from './slots.ts';

/** A manifest of the graph; `exists`: the destination has it. */
export interface ManifestNode {
  readonly manifest: Manifest;
  /** The source's descriptor, if the manifest was rewritten. */
  readonly original?: Descriptor;
  readonly exists: boolean;
}

/** An image that waits for its blobs. */
export interface BlobWanter {
  /** Gives up all of them: blobs that no other image needs are stopped. */
  giveUp(error: unknown): void;
}

/** A blob that waits for its turn or is being transferred. */
export interface MovingBlob {
  /** Settles when its work has ended. */
  readonly done: Promise<void>;
  readonly wanters: Set<BlobWanter>;
  /** Why it is no longer needed. */
  stopped?: { readonly reason: unknown };
  /** Stops the transfer. */
  readonly stop: AbortController;
  /** The transferred bytes, until one of the transfers has counted them. */
  bytes: number;
  /** What became of it, until one of the transfers has told it. */
  outcome: BlobOutcome;
}

export interface BlobOutcome {
  readonly outcome: NodeOutcome;
  /** The repository it was mounted from. */
  readonly mountedFrom?: RepositoryName | undefined;
}

/** What a transform has changed so far. */
interface Rewriting {
  readonly turns: Slots;
  readonly blobs: Map<Digest, ChangedBlob | undefined>;
  /** Blobs that some manifest still names unchanged. */
  readonly kept: Set<Digest>;
  /** For the digest of every changed blob or manifest, its new descriptor. */
  readonly changes: Map<Digest, Descriptor>;
}

/**
 * One repository that a batch writes to. Every blob and manifest is transferred there once, however many images need it.
 */
export class Target {
  readonly site: Site;
  /** Media types of the manifests that are there, together with everything they name that a registry requires. */
  readonly there = new Map<Digest, string>();
  /** Nodes that were reported as discovered. */
  readonly discovered = new Set<Digest>();
  readonly movingBlobs = new Map<Digest, MovingBlob>();
  /** Blobs that were transferred, or found there. */
  readonly arrivedBlobs = new Set<Digest>();
  readonly rewriting: Rewriting = { turns: new Slots(1), blobs: new Map(), kept: new Set(), changes: new Map() };
  readonly #reads = new Map<Digest, { readonly reading: Promise<ManifestNode>; holders: number }>();
  readonly #pushes = new Map<Digest, Promise<void>>();
  readonly #room: Room;

  constructor(room: Room, site: Site) {
    this.#room = room;
    this.site = site;
  }

  /** Reads a manifest, once for all who hold it at the same time. Each `hold` needs a `letGo`. */
  hold(digest: Digest, read: () => Promise<ManifestNode>): Promise<ManifestNode> {
    const known = this.#reads.get(digest);
    if (known) {
      known.holders += 1;
      return known.reading;
    }
    const reading = read();
    const held = { reading, holders: 1 };
    this.#reads.set(digest, held);
    reading.then(
      ({ manifest }) => this.#room.add(manifest.bytes.length),
      // The next caller reads it again.
      () => this.#reads.get(digest) === held && this.#reads.delete(digest),
    );
    return reading;
  }

  letGo(digest: Digest): void {
    const known = this.#reads.get(digest);
    if (!known) return;
    known.holders -= 1;
    if (known.holders > 0) return;
    this.#reads.delete(digest);
    known.reading.then(
      ({ manifest }) => this.#room.free(manifest.bytes.length),
      () => {},
    );
  }

  /**
   * Pushes a manifest while no push of it, of what it names or of its subject is running. A docker-registry on a disk
   * empties a link before it writes it again, and meanwhile refuses a manifest that needs it.
   */
  async inTurn({ descriptor, view }: Manifest, push: () => Promise<void>): Promise<void> {
    const names = [descriptor, ...childrenOf(view), ...(view.subject ? [view.subject] : [])];
    const before = names.map(({ digest }) => this.#pushes.get(digest));
    const pushed = Promise.all(before).then(push);
    const settled = pushed.catch(() => {});
    for (const { digest } of names) this.#pushes.set(digest, settled);
    await settled;
    for (const { digest } of names) if (this.#pushes.get(digest) === settled) this.#pushes.delete(digest);
    await pushed;
  }
}

/** The manifests that one transfer holds. */
export class Hold {
  readonly #target: Target;
  readonly #held = new Map<Digest, Promise<ManifestNode>>();

  constructor(target: Target) {
    this.#target = target;
  }

  read(digest: Digest, read: () => Promise<ManifestNode>): Promise<ManifestNode> {
    let reading = this.#held.get(digest);
    if (!reading) {
      reading = this.#target.hold(digest, read);
      this.#held.set(digest, reading);
    }
    return reading;
  }

  letGo(digest: Digest): void {
    if (this.#held.delete(digest)) this.#target.letGo(digest);
  }

  letAllGo(): void {
    for (const digest of this.#held.keys()) this.letGo(digest);
  }
}
