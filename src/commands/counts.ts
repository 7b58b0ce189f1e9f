import { OciError } from '../model/errors.ts';

/** Reads a whole number of things. @throws OciError USAGE naming the option. */
export function parseCount(option: string, word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const count = Number(word);
  if (/^\d+$/.test(word) && Number.isSafeInteger(count)) return count;
  throw new OciError('USAGE', `${option} takes a whole number, not ${JSON.stringify(word)}`);
}
