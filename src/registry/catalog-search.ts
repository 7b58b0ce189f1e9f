import { type RepositoryName, tryParseRepositoryName } from '../model/reference/reference.ts';
import type { Lister, SignalOption } from './registry.ts';

/** Names looked at in one search; a catalog without an end ends here. */
const maxNames = 200_000;

/**
 * Looks for repositories by name in a registry's list: the one of exactly this name first, then those that hold the
 * term, in the order of the list. Case does not count, and every repository holds the empty term.
 *
 * @param opts.limit At most this many.
 */
export async function searchCatalog(
  registry: Pick<Lister, 'repositories'>,
  term: string,
  { limit, signal }: SignalOption & { readonly limit: number },
): Promise<readonly RepositoryName[]> {
  const wanted = term.trim().toLowerCase();
  let exact: RepositoryName | undefined;
  // Nothing can be named so: then the first matches are all there is to wait for.
  const sought = tryParseRepositoryName(wanted);
  const found: RepositoryName[] = [];
  for await (const name of registry.repositories({ limit: maxNames, signal })) {
    if (name === sought) exact = name;
    else if (found.length < limit && name.includes(wanted)) found.push(name);
    if (found.length >= limit && (exact !== undefined || sought === undefined)) break;
  }
  return (exact === undefined ? found : [exact, ...found]).slice(0, limit);
}
