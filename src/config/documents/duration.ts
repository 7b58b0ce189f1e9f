import { quote } from '../../model/quote.ts';
import type { Sourced } from '../origin.ts';
import { invalidSetting } from './config-error.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads a duration as Go writes it: `30s`, `1m30s`, `1.5h`; `0` needs no unit. @throws OciError CONFIG_INVALID */
export function readDurationMs({ value, origin }: Sourced<string>): number {
  const ms = parseDurationMs(value);
  if (ms !== undefined) return ms;
  throw invalidSetting(origin, `${quote(value)} is no duration`, 'Write it as 30s, 500ms or 1m30s.');
}

function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit = ''] of text.matchAll(/([\d.]+)([a-zµ]+)/g))
    total += Number(number) * (unitMs[unit] ?? 0);
  return Math.ceil(total);
}
