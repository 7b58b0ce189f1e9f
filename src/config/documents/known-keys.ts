import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { YamlDocument } from './yaml-document.ts';

/** The keys that an object may have, and what to check inside: nothing, an object, or objects of a list, or a single one in its place. */
export type KnownKeys = { readonly [key: string]: KnownKeys | readonly [KnownKeys] | true };

/** Refuses unknown keys, because they are probably mistakes. @throws OciError CONFIG_INVALID with file, line and column. */
export function refuseUnknownKeys(document: YamlDocument, known: KnownKeys, file: string): void {
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
  check(document.value, known, []);
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
  const ranked = words
    .map((each) => ({ each, distance: editDistance(word.toLowerCase().replaceAll('_', '-'), each) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, best.each.length / 3) ? best.each : undefined;
}

/** Number of letters to insert, remove or replace. */
function editDistance(from: string, to: string): number {
  if (from.length > 64) return from.length;
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
