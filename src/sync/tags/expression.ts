/** Regular expressions over names that registries list. */
import { configError } from '../../config/documents/config-error.ts';
import type { Origin } from '../../config/origin.ts';
import { matchesInTime, slowExpressionHint } from '../../model/patterns/expression.ts';
import { quote } from '../../model/quote.ts';

/** The names that an expression matches. @throws OciError CONFIG_INVALID for one that takes too long */
export function matchingNames<T extends string>(names: readonly T[], expression: RegExp, origin: Origin): readonly T[] {
  const found = matchesInTime(names, expression);
  if (found) return found;
  throw configError(origin, `the expression ${quote(expression.source)} takes too long`, slowExpressionHint);
}
