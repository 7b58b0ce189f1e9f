import { quote } from '../model/quote.ts';
import { configError } from './documents/config-error.ts';
import type { Fields } from './documents/fields.ts';

/** Whether a name and value are a valid header. A line break would inject another header into every request. */
function isHeader(name: string, value: unknown): value is string {
  return (
    /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
  );
}

/** Reads an object of headers. Lists of strings are joined, and null is skipped. @throws OciError CONFIG_INVALID */
export function readHeaders(fields: Fields, key: string): Readonly<Record<string, string>> {
  const set = fields.members(key).filter(([, { value }]) => value !== null);
  const headers = set.map(([name, { value, origin }]): readonly [string, string] => {
    const text: unknown =
      Array.isArray(value) && value.every((each) => typeof each === 'string') ? value.join(', ') : value;
    if (isHeader(name, text)) return [name, text];
    throw configError(origin, `${quote(`${key}.${name}`)} is not a valid header`);
  });
  return Object.fromEntries(headers);
}
