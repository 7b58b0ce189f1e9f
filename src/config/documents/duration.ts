import { parseDurationMs } from '../../model/duration.ts';
import { quote } from '../../model/quote.ts';
import type { Sourced } from '../origin.ts';
import { configError } from './config-error.ts';

/** Parses a duration in Go's format into whole milliseconds, rounded up. @throws OciError CONFIG_INVALID */
export function readDurationMs({ value, origin }: Sourced<string>): number {
  const ms = parseDurationMs(value);
  if (ms !== undefined) return Math.ceil(ms);
  throw configError(origin, `${quote(value)} is not a duration`, 'write it as 30s, 500ms or 1m30s');
}
