import { configError } from '../../config/documents/config-error.ts';
import type { Sourced } from '../../config/origin.ts';

/** Refuses tags without quotes that YAML reads as numbers: 3.20 would become 3.2. @throws OciError CONFIG_INVALID */
export function refuseNumbers({ value, origin }: Sourced<unknown>): void {
  const found = [value].flat().find((each) => typeof each === 'number');
  if (found === undefined) return;
  throw configError(origin, `YAML reads ${found} as a number, not as a tag`, "put tags in quotes: '3.20'");
}
