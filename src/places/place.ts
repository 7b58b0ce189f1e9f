import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Reference, RepositoryName, Tag } from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';

/** `repository`: tags are listed; `removal`: something is deleted. In both, where no tag was named, none is meant. */
export type PlaceRole = 'source' | 'destination' | 'repository' | 'removal';

/** A repository of a registry. */
export type HostedRepository = Pick<Reference, 'domain' | 'path'>;

/** The repository of a registry that holds a blob; undefined where none is known. */
type HolderOf = (digest: Digest) => Promise<RepositoryName | undefined>;

/** What places are opened with. */
export interface PlaceSources {
  readonly signal: AbortSignal;
  /** The registry behind a reference. */
  readonly remote: (reference: Reference, intent: 'pull' | 'push') => Promise<Registry>;
  readonly store: () => Promise<Registry>;
  /** The full name that a name without a registry stands for, where it is read. */
  readonly imageName: (word: string) => Promise<string>;
}

/** A kind of places: an entry of the table in places.ts, a file beside it. */
export interface PlaceKind {
  /** What words for such a place begin with: `oci:`. Empty for the kind that all other words name. */
  readonly prefix: string;
  /** How it is written and called in help: where one image is read, where tags are listed, and as either side of a copy. */
  readonly help: { readonly image: string; readonly repository: string; readonly side: string };
  /** What to do instead, for who writes it where the name of an image is wanted. */
  readonly insteadOfName?: string;
  /**
   * Whether an index may be here without all the images that it names: never; to complete it later; or as a matter of
   * course, as of what was pulled for one platform.
   */
  readonly incomplete: 'never' | 'later' | 'usual';
  /** Whether what is here is one's own, and not given away to others: layers that may not be distributed come along. */
  readonly own: boolean;
  /** Whether it is in a repository whose name other programs know. */
  readonly hasRepository: boolean;
  /**
   * @param rest The word without the prefix.
   * @throws OciError REFERENCE_INVALID; USAGE for a role that it cannot have.
   */
  readonly open: (rest: string, role: PlaceRole, sources: PlaceSources) => Promise<Place>;
}

/**
 * What a command reads or writes: an image or a repository of some kind of place. Whoever has written calls `finish` when
 * all is done; disposing without that removes what this run made and holds nothing.
 */
export interface Place extends AsyncDisposable {
  readonly kind: PlaceKind;
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
  /** Undefined where a digest was named. */
  readonly tag: Tag | undefined;
  /** Whether a tag or digest was named; else `reference` is the default. */
  readonly named: boolean;
  /** As people write it: `alpine:3`, `store:alpine:3`, `oci:dir:3`. */
  readonly name: string;
  /** In full: `docker.io/library/alpine:3`. */
  readonly fullName: string;
  /** The same for two words that name the same. */
  readonly identity: string;
  /** In full, without tag and digest. */
  readonly repository: string;
  /** Where it is in a registry that mounts blobs; else undefined. */
  readonly hosted: HostedRepository | undefined;
  /** Whether indexes may be here without all their children. */
  readonly sparse: boolean;
  /** Names of its images beside what `registry.tags` lists. */
  names?(): Promise<readonly string[]>;
  /** The same repository at one of its tags. To be asked where none was named. */
  at(tag: Tag): Place;
  /** One of its tags below the name that was given, where images have names in full: `base/app:1` for `base/app`. */
  below?(tag: Tag): Place;
  /** Where a registry may have the blobs of this place already. */
  mountFrom(target: HostedRepository): Promise<RepositoryName | HolderOf | undefined>;
  /** A failure to read, in the words of this kind of place. */
  explain(error: unknown): unknown;
  /** Completes what was written. To be called once, after the last write. */
  finish(): Promise<void>;
}

/** What most kinds of places have in common: nothing to finish or to remove, and blobs that nobody else has. */
export const plainPlace = {
  mountFrom: async () => undefined,
  explain: (error: unknown) => error,
  finish: async () => {},
  [Symbol.asyncDispose]: async () => {},
} as const;

/** Reads what a place shall have. @throws what reading throws, as the place explains it. */
export async function readFrom<T>(place: Place, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw place.explain(error);
  }
}

/** @throws OciError REFERENCE_INVALID where something would be written under a digest. */
export function refuseDigestTarget(word: string, digest: Digest | undefined, role: PlaceRole): void {
  if (role !== 'destination' || digest === undefined) return;
  throw new OciError('REFERENCE_INVALID', `cannot write to a digest reference: ${word}`, {
    hint: 'name a tag: the digest follows from the content',
  });
}
