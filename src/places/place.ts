import type { ByteStream } from '../archive/envelope/open-file.ts';
import type { DaemonEndpoint } from '../daemon/open.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { Reference, RepositoryName, Tag } from '../model/reference/reference.ts';
import type { Sink } from '../registry/content.ts';
import type { Intent } from '../registry/intent.ts';
import type { Registry } from '../registry/registry.ts';

/**
 * `repository`: tags are listed; `removal`: something is deleted. Neither has a default tag. `look`: what a destination has is
 * looked at, before it is known whether anything is written there; of registries alone.
 */
export type PlaceRole = 'source' | 'destination' | 'repository' | 'removal' | 'look';

/** A repository of a registry. */
export type HostedRepository = Pick<Reference, 'domain' | 'path'>;

/** Finds the repository of a registry that holds a blob; undefined if none is known. */
type HolderOf = (digest: Digest) => Promise<RepositoryName | undefined>;

/** What is needed to open places. */
export interface PlaceSources {
  readonly signal: AbortSignal;
  /** The registry of a reference. */
  readonly remote: (reference: Reference, intent: Intent) => Promise<Registry>;
  readonly store: () => Promise<Registry>;
  /** Opens standard input, for a file that is written `-`. */
  readonly stdin: () => ByteStream;
  /** Gives standard output to a file that is written `-`. @throws OciError USAGE if it is a terminal. */
  readonly stdout: () => Sink;
  /** The platform of an image that is chosen where only one can be. */
  readonly platform: () => Promise<Platform>;
  /** Tells people what they should know of a place. */
  readonly note: (text: string) => void;
  /** Finds the Docker daemon; it is not contacted. */
  readonly dockerDaemon: () => Promise<DaemonEndpoint>;
  /** Expands a name without a registry that is to be read. */
  readonly imageName: (word: string) => Promise<string>;
}

/** A kind of place: an entry of the table in places.ts, implemented in a file next to it. */
export interface PlaceKind {
  /** The prefix of words for such a place: `oci:`. Empty for the kind that all other words name. */
  readonly prefix: string;
  /**
   * How help writes and names it: as an image to read, as a repository whose tags are listed, and as either side of a copy.
   * Absent if another kind's text names it too.
   */
  readonly help?: { readonly image: string; readonly repository: string; readonly side: string };
  /** What to write instead, if only the name of an image in a registry is accepted. */
  readonly insteadOfName?: string;
  /**
   * When an index may be here without all the images that it names: never; until it is completed later; or usually, as
   * after a pull for one platform.
   */
  readonly incomplete: 'never' | 'later' | 'usual';
  /**
   * Whether images here stay with the user instead of being distributed: layers that may not be distributed are then
   * copied too.
   */
  readonly own: boolean;
  /** Whether it is in a repository whose name other programs know. */
  readonly hasRepository: boolean;
  /** Whether images change when they are written here, so that their digests tell nothing. Default false. */
  readonly converts?: boolean;
  /** Whether it holds one image, without a name. Default false. */
  readonly single?: boolean;
  /**
   * For a kind that holds several images under names of their own, such as a layout: what names the place alone, and the
   * name in it, which is absent if none was written. Both begin after the prefix.
   */
  readonly split?: (rest: string) => { readonly place: string; readonly name?: string | undefined };
  /**
   * @param rest The word without the prefix.
   * @throws OciError REFERENCE_INVALID; USAGE for a role that this kind cannot have.
   */
  readonly open: (rest: string, role: PlaceRole, sources: PlaceSources) => Promise<Place>;
}

/**
 * What a command reads or writes: an image or a repository in some kind of place. After writing, call `finish` when all
 * is done. Disposing without `finish` removes what this run created if it is still empty.
 */
export interface Place extends AsyncDisposable {
  readonly kind: PlaceKind;
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
  /** Undefined if a digest was named. */
  readonly tag: Tag | undefined;
  /** Whether a tag or digest was named; otherwise `reference` is the default. */
  readonly named: boolean;
  /** As users write it: `alpine:3`, `store:alpine:3`, `oci:dir:3`. */
  readonly name: string;
  /** In full: `docker.io/library/alpine:3`. */
  readonly fullName: string;
  /** Equal for two words that name the same place. */
  readonly identity: string;
  /** The file or directory that it is in, with links followed, if a copy replaces that as a whole: an archive, a `dir:`. */
  readonly replaced?: string;
  /** Of a destination: whether something is there that the copy replaces as a whole. */
  readonly occupied?: boolean;
  /** In full, without tag and digest. */
  readonly repository: string;
  /** Its repository, if it is in a registry that mounts blobs. */
  readonly hosted: HostedRepository | undefined;
  /** Whether indexes may be here without all their children. */
  readonly sparse: boolean;
  /** Of an index, only the image for this platform is copied here, unless others are asked for. */
  readonly platform?: Platform;
  /** Names of its images in addition to those that `registry.tags` lists. */
  names?(): Promise<readonly string[]>;
  /** The same repository at one of its tags. Only for a place that was named without a tag. */
  at(tag: Tag): Place;
  /** With a tag below the given name, if images here have full names: `base/app:1` for `base/app`. */
  below?(tag: Tag): Place;
  /** The image that has this name here, a tag or a full name. For kinds that have `split`. @throws OciError REFERENCE_INVALID */
  image?(name: string): Place;
  /** Where the target's registry may already have the blobs of this place. */
  mountFrom(target: HostedRepository): Promise<RepositoryName | HolderOf | undefined>;
  /** Describes a failure to read in the terms of this kind of place. */
  explain(error: unknown): unknown;
  /** Whether what is written here can be read before `finish`. Default true. */
  readonly readsBack?: boolean;
  /** Opens what `finish` has completed, to read it. Absent if nothing is to be read again, as on standard output. */
  reopen?(): Promise<Place>;
  /** Completes what was written. Call it once, after the last write. */
  finish(): Promise<void>;
}

/** What most kinds of places have in common: nothing to finish or remove, and no blobs that could be mounted. */
export const plainPlace = {
  mountFrom: async () => undefined,
  explain: (error: unknown) => error,
  finish: async () => {},
  [Symbol.asyncDispose]: async () => {},
} as const;

/** Reads from a place. @throws what reading throws, as the place describes it. */
export async function readFrom<T>(place: Place, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw place.explain(error);
  }
}

/** @throws OciError REFERENCE_INVALID if a digest was named to write to. */
export function refuseDigestTarget(word: string, digest: Digest | undefined, role: PlaceRole): void {
  if (role !== 'destination' || digest === undefined) return;
  throw new OciError('REFERENCE_INVALID', `cannot write to a digest reference: ${word}`, {
    hint: 'name a tag: the digest follows from the content',
  });
}
