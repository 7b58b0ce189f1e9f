import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/** @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Reads the value of `--created`. @param now What `now` is. @throws OciError USAGE */
export function parseTime(word: string, now: () => Date = () => new Date()): string {
  const isSeconds = /^\d{1,11}$/.test(word);
  if (rfc3339.test(word) && !Number.isNaN(Date.parse(word))) return word;
  if (word === 'now' || isSeconds) {
    const time = isSeconds ? new Date(Number(word) * 1000) : now();
    return time.toISOString().replace(/\.\d+Z$/, 'Z');
  }
  throw new OciError('USAGE', `--created takes a time, not ${quote(word)}`, {
    hint: 'write now, 2026-01-31T12:00:00Z or seconds since 1970, as in $SOURCE_DATE_EPOCH',
  });
}
