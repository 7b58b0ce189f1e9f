import type { Digest } from '../model/digest.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';

/** `repository`: tags are listed; `removal`: something is deleted. In both, where no tag was named, none is meant. */
export type PlaceRole = 'source' | 'destination' | 'repository' | 'removal';

/** What a command reads or writes: an image or a repository in a registry, a layout or the local store. */
export interface Place {
  readonly kind: 'registry' | 'layout' | 'store';
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
  /** The same for two ends that are the same place under two names. */
  readonly place: string;
  /** In full, without tag and digest. */
  readonly repository: string;
  /** The registry's domain; undefined for a layout. */
  readonly domain: string | undefined;
  /** Whether indexes may be here without all their children. */
  readonly sparse: boolean;
}
