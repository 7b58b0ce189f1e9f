/** Records what clients requested of a registry and what it confirmed, to check the registry against it. */
import type { RepositoryName, Tag } from '../../src/model/reference/reference.ts';

/**
 * `put`: pushes a manifest under a tag. `untag`: deletes a tag. `remove`: deletes a manifest with every tag that points
 * at it.
 */
export interface Deed {
  readonly kind: 'put' | 'untag' | 'remove';
  readonly repo: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: string;
}

interface Told extends Deed {
  readonly began: number;
  readonly ended: number;
  /** Whether the registry confirmed it. */
  readonly done: boolean;
}

export class History {
  /** A deed that ends before another begins has lower numbers. */
  #moment = 0;
  readonly #told: Told[] = [];

  async record(deed: Deed, run: () => Promise<boolean>): Promise<void> {
    const began = this.#next();
    const done = await run();
    this.#told.push({ ...deed, began, ended: this.#next(), done });
  }

  /**
   * The digests that a tag may point at after all requests have ended; undefined if it may be gone. Of deeds that
   * overlapped, each may have been the last.
   */
  mustPointAt(repo: RepositoryName, tag: Tag): ReadonlySet<string> | undefined {
    const here = this.#told.filter((deed) => deed.repo === repo);
    const puts = here.filter((deed) => deed.kind === 'put' && deed.done && deed.tag === tag);
    const last = puts.filter((put) => !puts.some(({ began }) => began > put.ended));
    const isGone = here.some(({ kind, ended, done, ...deed }) =>
      last.some(({ began, digest }) => {
        if (kind === 'put' || !done || ended < began) return false;
        return kind === 'untag' ? deed.tag === tag : deed.digest === digest;
      }),
    );
    return last.length === 0 || isGone ? undefined : new Set(last.map(({ digest }) => digest ?? ''));
  }

  /** The last deeds that concern a tag, for a report. */
  told(repo: RepositoryName, tag: Tag): string {
    return this.#told
      .filter((deed) => deed.repo === repo && (deed.tag === undefined || deed.tag === tag))
      .slice(-10)
      .map(({ kind, digest = '', began, ended, done }) => `${began}–${ended} ${kind} ${digest} ${done ? 'done' : 'no'}`)
      .join('\n');
  }

  summary(): string {
    const count = (kind: string): number => this.#told.filter((deed) => deed.kind === kind && deed.done).length;
    return `${count('put')} puts, ${count('untag')} deleted tags, ${count('remove')} deleted manifests`;
  }

  #next(): number {
    this.#moment += 1;
    return this.#moment;
  }
}
