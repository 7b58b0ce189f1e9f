import type { FileTime } from './entry.ts';
import { decimal } from './numbers.ts';

const perSecond = 1_000_000_000;

/** Reads a time of PAX: `1700000000.25`, `-1.5`. @returns Undefined for what is none. */
export function readTime(text: string): FileTime | undefined {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d{1,16})(?:\.(\d*))?$/.exec(text) ?? [];
  const seconds = decimal(whole);
  if (seconds === undefined) return undefined;
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: seconds === 0 ? 0 : -seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: perSecond - nanoseconds };
}

/** Writes a time as PAX does: without zeros at its end. */
export function writeTime({ seconds, nanoseconds }: FileTime): string {
  const isNegative = seconds < 0 && nanoseconds > 0;
  const whole = isNegative ? -(seconds + 1) : seconds;
  const rest = isNegative ? perSecond - nanoseconds : nanoseconds;
  const fraction = String(rest).padStart(9, '0').replace(/0+$/, '');
  return `${isNegative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
