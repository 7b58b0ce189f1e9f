import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { editDistance } from '../../model/text/edit-distance.ts';
import type { YamlDocument } from './yaml-document.ts';

/** The keys that an object may have, and what to check inside: nothing, an object, or objects of a list, or a single one in its place. */
export type KnownKeys = { readonly [key: string]: KnownKeys | readonly [KnownKeys] | true };

/**
 * Refuses unknown keys, because they are probably mistakes.
 *
 * @param below The path of the object that has these keys. Default: the whole document.
 * @throws OciError CONFIG_INVALID with file, line and column.
 */
export function refuseUnknownKeys(
  document: YamlDocument,
  known: KnownKeys,
  file: string,
  below: readonly (string | number)[] = [],
): void {
  const check = (value: unknown, keys: KnownKeys, path: readonly (string | number)[]): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      const inside = Object.hasOwn(keys, key) ? keys[key] : undefined;
      const here = [...path, key];
      if (inside === undefined) throw unknownKey(document, here, Object.keys(keys), file);
      if (inside === true) continue;
      if (!isList(inside)) check(inner, inside, here);
      else if (Array.isArray(inner)) for (const [at, each] of inner.entries()) check(each, inside[0], [...here, at]);
      else check(inner, inside[0], here);
    }
  };
  check(below.reduce(memberOf, document.value), known, below);
}

function memberOf(value: unknown, key: string | number): unknown {
  const isThere = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  return isThere ? (value as Record<string | number, unknown>)[key] : undefined;
}

function isList(inside: KnownKeys | readonly [KnownKeys]): inside is readonly [KnownKeys] {
  return Array.isArray(inside);
}

function unknownKey(
  document: YamlDocument,
  path: readonly (string | number)[],
  keys: readonly string[],
  file: string,
): OciError {
  const position = document.keyPosition(path);
  const where = position ? `${file}:${position.line}:${position.column}` : file;
  const key = String(path.at(-1));
  const nearest = nearestWord(key, keys);
  return new OciError('CONFIG_INVALID', `${where}: unknown key ${quote(key)}`, {
    hint: nearest === undefined ? `the keys here are ${keys.join(', ')}` : `did you mean ${nearest}?`,
  });
}

/** The most similar word, if it does not differ in too many letters. */
function nearestWord(word: string, words: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const ranked = words
    .map((each) => ({ each, distance: editDistance(word.toLowerCase().replaceAll('_', '-'), each) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, best.each.length / 3) ? best.each : undefined;
}
