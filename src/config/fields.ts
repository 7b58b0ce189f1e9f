import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import type { JsonDocument } from './json-document.ts';
import type { Origin, Sourced } from './origin.ts';

/** Reads the members of a parsed settings file by type. Every method throws CONFIG_INVALID with file and line. */
export interface Fields {
  strings(key: string): readonly Sourced<string>[];
  string(key: string): Sourced<string> | undefined;
  /** An integer; absent where it is 0, as Docker reads it, unless 0 lies under the least. */
  count(key: string, least: number): Sourced<number> | undefined;
  /** The members of an object, each with its own line; none where absent or null. */
  members(key: string): readonly (readonly [string, Sourced<unknown>])[];
}

/** @param name The file or variable that the document was read from. */
export function fieldsOf(document: JsonDocument, name: string, kind: Origin['kind'] = 'file'): Fields {
  const origin = (...path: readonly (string | number)[]): Origin => {
    const line = document.lineOf(...path);
    return { kind, name, ...(line !== undefined && { line }) };
  };
  const refuse = (expected: string, ...path: readonly (string | number)[]): never => {
    const line = document.lineOf(...path);
    const where = line === undefined ? name : `${name}:${line}`;
    const what = path.length === 0 ? 'the file' : quote(path.join('.'));
    throw new OciError('CONFIG_INVALID', `${where}: ${what} must be ${expected}`);
  };
  const { value: root } = document;
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return refuse('a JSON object');
  const get = (key: string): unknown => (Object.hasOwn(root, key) ? (root as Record<string, unknown>)[key] : undefined);
  return {
    strings: (key) => {
      const list = get(key) ?? [];
      if (!Array.isArray(list)) return refuse('a list of strings', key);
      return list.map((value: unknown, index) =>
        typeof value === 'string' ? { value, origin: origin(key, index) } : refuse('a string', key, index),
      );
    },
    string: (key) => {
      const value = get(key) ?? undefined;
      if (value === undefined) return undefined;
      return typeof value === 'string' ? { value, origin: origin(key) } : refuse('a string', key);
    },
    count: (key, least) => {
      const value = get(key) ?? undefined;
      if (value === undefined) return undefined;
      if (typeof value !== 'number' || !Number.isInteger(value) || value < least) {
        return refuse(`a whole number of at least ${least}`, key);
      }
      return value === 0 ? undefined : { value, origin: origin(key) };
    },
    members: (key) => {
      const value = get(key) ?? {};
      if (typeof value !== 'object' || Array.isArray(value)) return refuse('an object', key);
      return Object.entries(value).map(([member, inner]) => [member, { value: inner, origin: origin(key, member) }]);
    },
  };
}
