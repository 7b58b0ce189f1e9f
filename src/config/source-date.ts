import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import type { Environment } from './environment.ts';

/** The latest time that a tar archive of any program holds, in seconds: eleven octal digits. */
const latestSeconds = 0o77777777777;

/**
 * The time for everything that is made, so that the same input gives the same output.
 *
 * @throws OciError CONFIG_INVALID
 * @see https://reproducible-builds.org/specs/source-date-epoch/
 */
export function sourceDate(env: Environment['env']): Date | undefined {
  const text = env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  const seconds = /^\d{1,11}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= latestSeconds) return new Date(seconds * 1000);
  throw new OciError('CONFIG_INVALID', `SOURCE_DATE_EPOCH is ${quote(text)}, which is no time`, {
    hint: 'write seconds since 1970, as date +%s prints them',
  });
}
