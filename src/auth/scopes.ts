/**
 * The scopes of a token, `type:name:action,action`, as a set. A token with more scopes also covers requests that need fewer.
 *
 * @see https://distribution.github.io/distribution/spec/auth/scope/
 */
export class ScopeSet {
  readonly #actions: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(actions: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#actions = actions;
  }

  /** Scopes of the same resource are merged. A text without two colons is kept as it is. */
  static of(scopes: Iterable<string>): ScopeSet {
    const actions = new Map<string, Set<string>>();
    for (const scope of scopes) {
      const colon = scope.lastIndexOf(':');
      const known = scope.indexOf(':') !== colon;
      const resource = known ? scope.slice(0, colon) : scope;
      const words = known ? scope.slice(colon + 1).split(',') : [];
      const set = actions.get(resource) ?? new Set<string>();
      for (const word of words) if (word !== '') set.add(word);
      actions.set(resource, set);
    }
    return new ScopeSet(actions);
  }

  union(other: ScopeSet): ScopeSet {
    return ScopeSet.of([...this.toStrings(), ...other.toStrings()]);
  }

  /** Whether this set allows everything that `other` allows. `*` allows every action. */
  contains(other: ScopeSet): boolean {
    for (const [resource, wanted] of other.#actions) {
      const held = this.#actions.get(resource);
      if (!held) return false;
      for (const action of wanted) if (!held.has(action) && !held.has('*')) return false;
    }
    return true;
  }

  /** One scope per resource, sorted, so that equal sets give equal lists. */
  toStrings(): readonly string[] {
    return [...this.#actions]
      .map(([resource, actions]) => (actions.size === 0 ? resource : `${resource}:${[...actions].sort().join(',')}`))
      .sort();
  }
}

/** The scope of one repository. */
export function repositoryScope(repo: string, ...actions: readonly ('pull' | 'push' | 'delete')[]): string {
  return `repository:${repo}:${actions.join(',')}`;
}

/** The scope of the list of repositories. */
export const catalogScope = 'registry:catalog:*';
