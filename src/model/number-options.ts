import { OciError } from './errors.ts';
import { quote } from './quote.ts';

/**
 * Refuses options that are not valid numbers. Code that compares with NaN, or counts to less than one, does nothing,
 * and the failure then looks like somebody else's. Infinity means no limit; an absent option has its default.
 *
 * @param least The smallest value of each option.
 * @throws OciError USAGE naming the option.
 */
export function checkNumbers<T extends object>(
  options: T,
  least: Readonly<Partial<Record<keyof T & string, number>>>,
): void {
  for (const [name, smallest] of Object.entries<number | undefined>(least)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined || (typeof value === 'number' && value >= (smallest ?? 0))) continue;
    throw new OciError('USAGE', `the option ${name} must be a number of at least ${smallest}`);
  }
}

/**
 * The same for an object of bounds and nothing else. A bound with another name would be none, and nobody would know.
 *
 * @param others Members that are no numbers.
 * @throws OciError USAGE naming what it does not know.
 */
export function checkBounds<T extends object>(
  bounds: T,
  least: Readonly<Partial<Record<keyof T & string, number>>>,
  others: readonly (keyof T & string)[] = [],
): void {
  const known = [...Object.keys(least), ...others];
  const strange = Object.keys(bounds).find((name) => !known.includes(name));
  if (strange !== undefined) {
    throw new OciError('USAGE', `there is no option ${quote(strange)} here: the options are ${known.join(', ')}`);
  }
  checkNumbers(bounds, least);
}
