import { quote } from '../../model/quote.ts';
import type { Origin, Sourced } from '../origin.ts';
import { configError } from './config-error.ts';

type Path = readonly (string | number)[];

/** A parsed settings file that knows the lines of its members. */
export interface SettingsDocument {
  readonly value: unknown;
  /** Line, from 1, of the value at a path of keys and indexes; undefined if unknown. */
  lineOf(...path: Path): number | undefined;
  /** Column, from 1, of that value; absent if messages only give lines. */
  columnOf?(...path: Path): number | undefined;
}

/** Typed reads of an object's members in a settings file. Every method throws CONFIG_INVALID with file and line. */
export interface Fields {
  readonly origin: Origin;
  keys(): readonly string[];
  originOf(key: string): Origin;
  /** Throws `"registry.0.prefix" must be …` with file and line. */
  refuse(expected: string, key?: string): never;
  strings(key: string): readonly Sourced<string>[];
  /** A list of strings, or a single string, which counts as a list of one. */
  stringOrStrings(key: string): readonly Sourced<string>[];
  string(key: string): Sourced<string> | undefined;
  choice<T extends string>(key: string, words: readonly T[]): Sourced<T> | undefined;
  boolean(key: string): Sourced<boolean> | undefined;
  /** An integer of at least `least`. As in Docker, 0 counts as absent if it is allowed. */
  count(key: string, least: number): Sourced<number> | undefined;
  /** The members of an object, each with its line; empty if it is absent or null. */
  members(key: string): readonly (readonly [string, Sourced<unknown>])[];
  /** The value of any type, for keys that allow several forms. */
  any(key: string): Sourced<unknown> | undefined;
  /** A nested object. */
  object(key: string): Fields | undefined;
  /** A list of objects. */
  objects(key: string): readonly Fields[];
  stringOrObject(key: string): Fields | Sourced<string> | undefined;
  /** A list of strings and objects. */
  mixed(key: string): readonly (Fields | Sourced<string>)[];
}

/** @param name The file or variable from which the document was read. */
export function fieldsOf(
  document: SettingsDocument,
  name: string,
  kind: Origin['kind'] = 'file',
  path: Path = [],
  value: unknown = document.value,
): Fields {
  // If a value has no known line, the line of the enclosing one is used.
  const origin = (...inner: Path): Origin => {
    const full = [...path, ...inner];
    let line: number | undefined;
    let column: number | undefined;
    for (let length = full.length; length > 0 && line === undefined; length -= 1) {
      line = document.lineOf(...full.slice(0, length));
      column = document.columnOf?.(...full.slice(0, length));
    }
    line ??= full.length === 0 ? document.lineOf() : undefined;
    return { kind, name, ...(line !== undefined && { line }), ...(column !== undefined && { column }) };
  };
  const refuse = (expected: string, ...inner: Path): never => {
    const full = [...path, ...inner];
    const what = full.length === 0 ? 'the file' : quote(full.join('.'));
    throw configError(origin(...inner), `${what} must be ${expected}`);
  };
  if (!isObject(value)) return refuse(path.length === 0 ? rootKind(name) : 'an object');
  const get = (key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined) ?? undefined;
  const read =
    <T>(expected: string, accept: (found: unknown) => found is T) =>
    (key: string): Sourced<T> | undefined => {
      const found = get(key);
      if (found === undefined) return undefined;
      return accept(found) ? { value: found, origin: origin(key) } : refuse(expected, key);
    };
  const string = read('a string', isString);
  const list = (expected: string, key: string): readonly unknown[] => {
    const found = get(key) ?? [];
    return Array.isArray(found) ? found : refuse(expected, key);
  };
  const strings = (key: string) =>
    list('a list of strings', key).map((found, index) =>
      isString(found) ? { value: found, origin: origin(key, index) } : refuse('a string', key, index),
    );
  const inside = (found: unknown, ...inner: Path): Fields =>
    isObject(found) ? fieldsOf(document, name, kind, [...path, ...inner], found) : refuse('an object', ...inner);
  const either = (found: unknown, ...inner: Path): Fields | Sourced<string> =>
    isString(found) ? { value: found, origin: origin(...inner) } : inside(found, ...inner);
  return {
    origin: origin(),
    keys: () => Object.keys(value),
    originOf: (key) => origin(key),
    refuse: (expected, key) => refuse(expected, ...(key === undefined ? [] : [key])),
    strings,
    stringOrStrings: (key) => {
      const found = get(key);
      return isString(found) ? [{ value: found, origin: origin(key) }] : strings(key);
    },
    string,
    choice: <T extends string>(key: string, words: readonly T[]) =>
      read(`one of ${words.join(', ')}`, (found): found is T => words.includes(found as T))(key),
    boolean: read('true or false', (found) => typeof found === 'boolean'),
    count: (key, least) => {
      const whole = (found: unknown): found is number =>
        typeof found === 'number' && Number.isInteger(found) && found >= least;
      const found = read(`a whole number of at least ${least}`, whole)(key);
      return found?.value === 0 ? undefined : found;
    },
    members: (key) =>
      Object.entries(isObject(get(key) ?? {}) ? (get(key) ?? {}) : refuse('an object', key)).map(([member, inner]) => [
        member,
        { value: inner as unknown, origin: origin(key, member) },
      ]),
    any: read('there', (_found): _found is unknown => true),
    object: (key) => (get(key) === undefined ? undefined : inside(get(key), key)),
    stringOrObject: (key) => (get(key) === undefined ? undefined : either(get(key), key)),
    mixed: (key) => list('a list', key).map((found, index) => either(found, key, index)),
    objects: (key) => list('a list of objects', key).map((found, index) => inside(found, key, index)),
  };
}

function rootKind(name: string): string {
  return /\.ya?ml$/.test(name) ? 'a mapping of keys to values' : 'a JSON object';
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
