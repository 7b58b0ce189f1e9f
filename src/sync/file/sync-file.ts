/** What a sync file says, whichever format it is in. */
import type { Origin } from '../../config/origin.ts';
import type { Platform } from '../../model/platform/platform.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { TagRule } from '../tags/tag-rule.ts';
import type { NameRule } from './name-rule.ts';

export interface SyncFile {
  readonly sources: readonly SyncSource[];
  /** How hosts are accessed, by `host[:port]`, where the file says it. */
  readonly access: ReadonlyMap<string, HostAccess>;
}

/** Repositories of a registry, and where their images go. */
export interface SyncSource {
  readonly origin: Origin;
  /** `docker.io`, `registry.example.com:5000`. */
  readonly host: string;
  /** As it was written, for messages: `docker.io/library/alpine`, `quay.io/team/*`. */
  readonly text: string;
  readonly repositories: ChosenRepositories;
  /** None for every tag. */
  readonly tags: readonly TagRule[];
  /** None for what a tag names: an index with all its images. */
  readonly platforms: readonly Platform[];
  /** Whether referrers of the images go along. */
  readonly referrers: boolean;
  /** Whether what cosign keeps under tags named after their digests goes along. */
  readonly digestTags: boolean;
  /** At least one. */
  readonly to: readonly NameRule[];
}

/** One repository, or those that pass a filter among all that the registry lists. */
type ChosenRepositories = RepositoryName | ((names: readonly RepositoryName[]) => readonly RepositoryName[]);

/** How a host is accessed, in place of settings and stored logins. */
export interface HostAccess {
  /** `user:password` */
  readonly creds?: string;
  /** Whether plain http and any certificate are accepted. */
  readonly insecure?: boolean;
  /** A directory that has a directory of certificates for the host. */
  readonly certsDir?: string;
}
