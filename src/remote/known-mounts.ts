import { repositoryScope } from '../auth/scopes.ts';
import type { HostRecord } from '../host-facts/host-facts.ts';
import type { RepositoryName } from '../model/reference/reference.ts';

/** What was found about mounts at one registry. */
export class KnownMounts {
  /** Whether a mount from the same repository is answered with the stored blob or an upload session. */
  own = true;
  readonly #facts: HostRecord | undefined;
  readonly #refused = new Set<string>();
  readonly #inVain = new Set<string>();

  constructor(facts: HostRecord | undefined) {
    this.#facts = facts;
  }

  /** Whether a mount from there was refused for a reason that concerns every blob. */
  isRefused(repo: RepositoryName, from: RepositoryName | undefined): boolean {
    return this.#refused.has(`${repo} ${from}`);
  }

  refused(repo: RepositoryName, from: RepositoryName | undefined): void {
    this.#refused.add(`${repo} ${from}`);
  }

  /** Whether a blob that is certainly there can probably be mounted without being looked up first. */
  isSure(repo: RepositoryName, from: RepositoryName): boolean {
    return this.#facts?.known.mounts !== false && !this.#inVain.has(`${repo} ${from}`);
  }

  /** A blob that is certainly there was not mounted: from now on blobs are looked up first. */
  wasInVain(repo: RepositoryName, from: RepositoryName): void {
    this.#inVain.add(`${repo} ${from}`);
    this.#facts?.learn({ mounts: false });
  }

  succeeded(repo: RepositoryName, from: RepositoryName | undefined): void {
    if (from !== repo) this.#facts?.learn({ mounts: true });
  }
}

/** Scopes that a mount needs in addition to those of an upload. */
export function mountScopes(repo: RepositoryName, from: RepositoryName | undefined): readonly string[] {
  return from === undefined || from === repo ? [] : [repositoryScope(from, 'pull')];
}
