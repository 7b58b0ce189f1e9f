/** Regular expressions over names that registries list. */
import { runInNewContext } from 'node:vm';
import { configError } from '../../config/documents/config-error.ts';
import type { Origin } from '../../config/origin.ts';
import { quote } from '../../model/quote.ts';

/** Milliseconds that one expression may take for all names of a list. */
const maxMs = 2000;

/**
 * Compiles an expression. Flags in front (`(?i)`) and named groups are accepted in Go's spelling too.
 *
 * @returns Undefined for what is no expression of ECMAScript: Go's `\z` and `[[:alpha:]]` among others.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function parseExpression(text: string, { whole }: { readonly whole: boolean }): RegExp | undefined {
  const [, flags = '', body = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(text) ?? [];
  const pattern = body.replaceAll('(?P<', '(?<');
  try {
    return new RegExp(whole ? `^(?:${pattern})$` : pattern, [...new Set(`u${flags}`)].join(''));
  } catch {
    return undefined;
  }
}

/**
 * The names that an expression matches. It is stopped after a time: some expressions take years for a name that was
 * made for them.
 *
 * @throws OciError CONFIG_INVALID
 */
export function matchingNames<T extends string>(names: readonly T[], expression: RegExp, origin: Origin): readonly T[] {
  const filter = (): readonly T[] => names.filter((name) => expression.test(name));
  try {
    return runInNewContext('filter()', { filter }, { timeout: maxMs }) as readonly T[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const hint = 'write it without a repetition inside a repetition, as in (a+)+';
    throw configError(origin, `the expression ${quote(expression.source)} takes too long`, hint);
  }
}
