import { OciError } from '../../model/errors.ts';
import { parseGlob } from '../../model/patterns/glob.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { quote } from '../../model/quote.ts';

/** Parses a whole number. @throws OciError USAGE naming the option. */
export function parseCount(option: string, word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const count = Number(word);
  if (/^\d+$/.test(word) && Number.isSafeInteger(count)) return count;
  throw new OciError('USAGE', `${option} takes a whole number, not ${quote(word)}`);
}

/** Parses a word of a list. @throws OciError USAGE naming the option. */
export function parseChoice<T extends string>(option: string, word: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === word);
  if (found !== undefined) return found;
  throw new OciError('USAGE', `${option} is not ${quote(word)}`, { hint: `choose ${choices.join(', ')}` });
}

/** Parses the platform of a command for one image. @throws OciError USAGE */
export function parseOnePlatform(word: string): Platform {
  if (word !== 'all' && !word.includes(',')) return parsePlatform(word);
  throw new OciError('USAGE', `--platform takes one platform here, not ${quote(word)}`, {
    hint: 'ocictl pull and ocictl copy take several',
  });
}

/**
 * Parses patterns for `parseGlob`.
 *
 * @returns A function that tells whether a name matches one of them; without patterns, every name matches.
 * @throws OciError USAGE naming the option.
 */
export function parsePatterns(option: string, words: readonly string[]): (name: string) => boolean {
  const globs = words.map((word) => {
    const glob = parseGlob(word);
    if (glob) return glob;
    throw new OciError('USAGE', `${option} takes a pattern, not ${quote(word)}`, {
      hint: 'a [ opens a class, as in [0-9]; write \\ before a character that shall have no special meaning',
    });
  });
  return (name) => globs.length === 0 || globs.some((glob) => glob(name));
}

/** Parses words of the form KEY=VALUE. @throws OciError USAGE naming the option, also for a key that is given twice. */
export function parsePairs(option: string, words: readonly string[]): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf('=');
    if (at < 1) throw new OciError('USAGE', `${option} takes KEY=VALUE, not ${quote(word)}`);
    const key = word.slice(0, at);
    if (found.has(key)) throw new OciError('USAGE', `${option} has ${quote(key)} twice`, { hint: 'give it once' });
    found.set(key, word.slice(at + 1));
  }
  return Object.fromEntries(found);
}
