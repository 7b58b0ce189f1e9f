import { OciError } from '../../model/errors.ts';
import { parseGlob } from '../../model/glob.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { quote } from '../../model/quote.ts';

/** Reads a whole number of things. @throws OciError USAGE naming the option. */
export function parseCount(option: string, word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const count = Number(word);
  if (/^\d+$/.test(word) && Number.isSafeInteger(count)) return count;
  throw new OciError('USAGE', `${option} takes a whole number, not ${quote(word)}`);
}

/** Reads the one platform of a command that is about one image. @throws OciError USAGE */
export function parseOnePlatform(word: string): Platform {
  if (word !== 'all' && !word.includes(',')) return parsePlatform(word);
  throw new OciError('USAGE', `--platform takes one platform here, not ${quote(word)}`, {
    hint: 'ocictl pull and ocictl copy take several',
  });
}

/**
 * Reads patterns as `parseGlob` has them.
 *
 * @returns Whether a name matches one of them; every name does where there are none.
 * @throws OciError USAGE naming the option.
 */
export function parsePatterns(option: string, words: readonly string[]): (name: string) => boolean {
  const globs = words.map((word) => {
    const glob = parseGlob(word);
    if (glob) return glob;
    throw new OciError('USAGE', `${option} takes a pattern, and ${quote(word)} is none`, {
      hint: 'a [ opens a class, as [0-9], and \\ stands before another character',
    });
  });
  return (name) => globs.length === 0 || globs.some((glob) => glob(name));
}
