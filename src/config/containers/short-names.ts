/**
 * Resolves names without a registry as the containers tools do: by aliases first, then by a list of registries to search.
 *
 * @see https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md#short-name-aliasing
 */
import { isOciError, OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { parseReference, type Reference } from '../../model/reference/reference.ts';
import { looksLikeDomain } from '../../model/reference/reference-grammar.ts';
import { configError } from '../documents/config-error.ts';
import type { Fields } from '../documents/fields.ts';
import { readLocation } from '../documents/rule-location.ts';
import type { Origin, Sourced } from '../origin.ts';
import { splitPrefix } from '../registry-rules.ts';

export interface ShortNameRules {
  /** Registries to search for names without an alias, in order. */
  readonly search: readonly Sourced<string>[];
  /** Full names without tag and digest, by short name. */
  readonly aliases: ReadonlyMap<string, Sourced<string>>;
  /** With `enforcing`, a name that several registries could have is refused. */
  readonly mode: 'enforcing' | 'permissive' | 'disabled';
}

/** A possible meaning of a short name. */
interface ShortNameMeaning {
  readonly reference: Reference;
  /** The alias or list that it comes from. */
  readonly origin: Origin;
}

const noRules: ShortNameRules = { search: [], aliases: new Map(), mode: 'permissive' };

/** Merges several registries.conf files: the last list and mode count, and aliases add up. */
export function readShortNames(files: readonly Fields[]): ShortNameRules {
  return files.reduce((rules, fields) => mergeShortNames(rules, fields), noRules);
}

function mergeShortNames(rules: ShortNameRules, fields: Fields): ShortNameRules {
  const old = fields.object('registries')?.object('search');
  const listed = old ? old.strings('registries') : fields.strings('unqualified-search-registries');
  const isSet = old !== undefined || fields.any('unqualified-search-registries') !== undefined;
  const mode = fields.choice('short-name-mode', ['enforcing', 'permissive', 'disabled', '']);
  const aliases = new Map(rules.aliases);
  for (const [name, { value, origin }] of fields.members('aliases')) {
    if (typeof value !== 'string') throw configError(origin, `the alias ${quote(name)} must be a string`);
    // An empty alias removes one of an earlier file.
    if (value === '') aliases.delete(name);
    else aliases.set(name, readAlias(name, { value, origin }));
  }
  return {
    search: isSet ? listed.map(readSearched) : rules.search,
    aliases,
    mode: mode === undefined ? rules.mode : mode.value === '' ? 'permissive' : mode.value,
  };
}

function readSearched(entry: Sourced<string>): Sourced<string> {
  const value = readLocation(entry);
  if (splitPrefix(value).path === '') return { value, origin: entry.origin };
  throw configError(entry.origin, `${quote(value)} is not a registry: it has a path`);
}

function readAlias(name: string, alias: Sourced<string>): Sourced<string> {
  const { value, origin } = alias;
  if (!isShort(name) || /[:@]/.test(name)) {
    throw configError(origin, `${quote(name)} is not a short name: it has a registry, a tag or a digest`);
  }
  if (isShort(value) || /[:@]/.test(splitPrefix(value).path) || !canParse(value)) {
    throw configError(origin, `${quote(value)} is not a full name without tag and digest`);
  }
  return alias;
}

/** Whether a reference has no registry. */
export function isShort(word: string): boolean {
  const slash = word.indexOf('/');
  return slash === -1 || !looksLikeDomain(word.slice(0, slash));
}

/**
 * The possible meanings of a short name, the most likely first. An alias is the only meaning.
 *
 * @throws OciError REFERENCE_INVALID if it has no meaning, or several with `enforcing`.
 */
export function resolveShortName(word: string, { search, aliases, mode }: ShortNameRules): readonly ShortNameMeaning[] {
  const [, name = '', rest = ''] = /^([^:@]*)(.*)$/s.exec(word) ?? [];
  const alias = aliases.get(name);
  if (alias) return [{ reference: parseReference(`${alias.value}${rest}`), origin: alias.origin }];
  // A text that is not a reference at all gets that error, instead of one about short names.
  parseReference(word);
  if (search.length === 0) {
    throw new OciError(
      'REFERENCE_INVALID',
      `the short name ${quote(word)} has no alias, and no registries are searched`,
      {
        hint: 'name the registry too, as in docker.io/library/alpine, or set short-names: docker',
      },
    );
  }
  if (mode === 'enforcing' && search.length > 1) {
    const hosts = search.map(({ value }) => value).join(', ');
    throw new OciError('REFERENCE_INVALID', `the short name ${quote(word)} could be in any of ${hosts}`, {
      hint: 'name the registry too, or give the name an alias in registries.conf',
    });
  }
  return search.map(({ value, origin }) => ({ reference: parseReference(`${value}/${word}`), origin }));
}

function canParse(name: string): boolean {
  try {
    parseReference(name);
    return true;
  } catch (error) {
    if (isOciError(error)) return false;
    throw error;
  }
}
