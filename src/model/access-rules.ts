/** Access rules: which users may pull, push, delete or list which repositories. The token issuer grants scopes by them. */

/** What can be done with a repository. */
export type RepositoryAction = 'pull' | 'push' | 'delete';
export const repositoryActions: readonly RepositoryAction[] = ['pull', 'push', 'delete'];

export interface AccessRule {
  /** `anybody`: anonymous requests too. `users`: every user who is logged in. A set: the users of these names. */
  readonly who: 'anybody' | 'users' | ReadonlySet<string>;
  /** See {@link repositoryPattern}. */
  readonly repositories: readonly RepositoryPattern[];
  /** What it allows. */
  readonly actions: ReadonlySet<RepositoryAction>;
  /** Whether the names of all repositories may be listed. */
  readonly catalog: boolean;
}

/** Returns true if the pattern covers the repository name. */
export type RepositoryPattern = (name: string) => boolean;

/**
 * Parses a pattern: `*` matches any characters within one component of a name, `**` one or more components.
 *
 * @returns Undefined for a pattern that can match no repository name.
 */
export function repositoryPattern(pattern: string): RepositoryPattern | undefined {
  const parts = pattern.split('/');
  const sound = parts.every((part) => part === '**' || (/^[a-z0-9._*-]+$/.test(part) && !part.includes('**')));
  if (!sound) return undefined;
  const several = parts.flatMap((part) => (part === '**' ? ['*', part] : [part]));
  return (name) => covers(several, name.split('/'), '**', (part, of) => covers([...part], [...of], '*', Object.is));
}

// Not a regular expression: with several stars its time explodes on a name that a client made for that. This matcher
// backtracks to the last star only, which is sufficient.
function covers(
  pattern: readonly string[],
  items: readonly string[],
  star: string,
  fits: (wanted: string, item: string) => boolean,
): boolean {
  let [at, next, afterStar, restart] = [0, 0, -1, 0];
  while (at < items.length) {
    const [wanted, item] = [pattern[next], items[at] ?? ''];
    if (wanted === star) {
      next += 1;
      [afterStar, restart] = [next, at];
    } else if (wanted !== undefined && fits(wanted, item)) {
      next += 1;
      at += 1;
    } else if (afterStar >= 0) {
      restart += 1;
      [next, at] = [afterStar, restart];
    } else return false;
  }
  return pattern.slice(next).every((rest) => rest === star);
}

/** The actions that a user may perform in a repository; `user` is undefined for an anonymous request. */
export function actionsIn(rules: readonly AccessRule[], user: string | undefined, name: string): Set<RepositoryAction> {
  const mine = rules.filter((rule) => concerns(rule, user) && rule.repositories.some((covered) => covered(name)));
  return new Set(mine.flatMap(({ actions }) => [...actions]));
}

export function mayList(rules: readonly AccessRule[], user: string | undefined): boolean {
  return rules.some((rule) => rule.catalog && concerns(rule, user));
}

function concerns({ who }: AccessRule, user: string | undefined): boolean {
  if (who === 'anybody') return true;
  return user !== undefined && (who === 'users' || who.has(user));
}
