import { checkArgument, checkFields, checkOptions } from '../model/check-arguments.ts';
import { type RepositoryName, tryParseRepositoryName } from '../model/reference/reference.ts';
import type { Lister, SignalOption } from './registry.ts';

/** A catalog without end would keep a server busy. */
const usualMaxNames = 200_000;

/**
 * Searches a registry's catalog by name. The repository with exactly the searched name comes first, then those that
 * contain the term, in catalog order. Case is ignored, and every repository contains the empty term.
 *
 * @param opts.limit Maximum number of results.
 * @param opts.maxNames Maximum number of names that are read. Default 200,000.
 */
export async function searchCatalog(
  registry: Pick<Lister, 'repositories'>,
  term: string,
  opts: SignalOption & { readonly limit: number; readonly maxNames?: number },
): Promise<readonly RepositoryName[]> {
  checkFields('searchCatalog', 'the registry', registry, { repositories: 'function' });
  checkArgument('searchCatalog', 'the term', term, 'string');
  checkOptions('searchCatalog', opts, { limit: 'number', maxNames: 'number', signal: 'object' }, ['limit']);
  const { limit, maxNames = usualMaxNames, signal } = opts;
  const wanted = term.trim().toLowerCase();
  let exact: RepositoryName | undefined;
  // If no repository can have this name, the search stops at the limit instead of waiting for an exact match.
  const sought = tryParseRepositoryName(wanted);
  const found: RepositoryName[] = [];
  for await (const name of registry.repositories({ limit: maxNames, signal })) {
    if (name === sought) exact = name;
    else if (found.length < limit && name.includes(wanted)) found.push(name);
    if (found.length >= limit && (exact !== undefined || sought === undefined)) break;
  }
  return (exact === undefined ? found : [exact, ...found]).slice(0, limit);
}
