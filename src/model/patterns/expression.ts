/** Regular expressions of users, over names that others chose. */
import { runInNewContext } from 'node:vm';

/** Milliseconds that one expression may take for all names of a list. */
const maxMs = 2000;

/**
 * Compiles an expression. Flags in front (`(?i)`) and named groups are accepted in Go's spelling too.
 *
 * @param opts.whole Whether all of a name has to match.
 * @returns Undefined for what is no expression of ECMAScript: Go's `\z` and `[[:alpha:]]` among others.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parseExpression(text: string, { whole }: { readonly whole: boolean }): RegExp | undefined {
  const [, flags = '', body = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(text) ?? [];
  const pattern = body.replaceAll('(?P<', '(?<');
  try {
    const settings = [...new Set(`u${flags}`)].join('');
    const alone = new RegExp(pattern, settings);
    // After it was seen to be one by itself: `a)|(?:b` would leave the parentheses. A flag `m` would end the name at a line.
    return whole ? new RegExp(`^(?:${pattern})$`, settings.replace('m', '')) : alone;
  } catch {
    return undefined;
  }
}

/**
 * The names that an expression matches; undefined if that takes too long, at which it is stopped: some expressions take years
 * for a name that was made for them.
 */
export function matchesInTime<T extends string>(names: readonly T[], expression: RegExp): readonly T[] | undefined {
  const filter = (): readonly T[] => names.filter((name) => expression.test(name));
  try {
    return runInNewContext('filter()', { filter }, { timeout: maxMs }) as readonly T[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return undefined;
  }
}

export const slowExpressionHint = 'write it without a repetition inside a repetition, as in (a+)+';
