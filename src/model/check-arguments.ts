/** What programs in plain JavaScript get wrong: said by name, where TypeScript would have refused it. */
import { OciError } from './errors.ts';

/** What an argument may be. `object` is anything with fields or methods but an array; `bytes` is a Uint8Array. */
type Kind = 'string' | 'number' | 'boolean' | 'function' | 'object' | 'array' | 'bytes';

/** The options of a function, each with all that it may be. */
export type Shape<T> = { readonly [K in keyof Required<T> & string]: Kind | readonly Kind[] };

/**
 * Checks the options of a public function before it does anything. An option that is undefined counts as absent.
 *
 * @param caller Named in messages: `copy`.
 * @param required Options that must be there.
 * @throws OciError USAGE for what is no object, for an option that does not exist, is missing, or has the wrong type.
 */
export function checkOptions<T extends object>(
  caller: string,
  options: T,
  shape: Shape<T>,
  required: readonly (keyof T & string)[] = [],
): void {
  const given: unknown = options;
  if (kindOf(given) !== 'object') throw usage(`${caller}: the options must be an object, not ${named(given)}`);
  const known = Object.keys(shape);
  const hint = `the options of ${caller} are ${known.join(', ')}`;
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(shape, name)) throw usage(`${caller}: there is no option ${printable(name)}`, hint);
    if (value !== undefined) checkKind(`${caller}: the option ${name}`, value, shape[name as keyof Shape<T>]);
  }
  for (const name of required) {
    if (options[name] === undefined) throw usage(`${caller}: the option ${name} is missing`, hint);
  }
}

/** @param what `the reference`. @throws OciError USAGE for an argument that has the wrong type, or is missing. */
export function checkArgument(caller: string, what: string, value: unknown, kinds: Kind | readonly Kind[]): void {
  // Some callers are called for every request.
  if (typeof value === kinds && kinds !== 'object') return;
  if (value === undefined) throw usage(`${caller}: ${what} is missing`);
  checkKind(`${caller}: ${what}`, value, kinds);
}

/**
 * Checks an argument that is an object, and the fields of it that the function reads.
 *
 * @param what `the reference`.
 * @throws OciError USAGE for what is no object, and for a field that is missing or has the wrong type.
 */
export function checkFields(
  caller: string,
  what: string,
  value: object,
  fields: Readonly<Record<string, Kind | readonly Kind[]>>,
): void {
  checkArgument(caller, what, value, 'object');
  for (const [name, kinds] of Object.entries(fields)) {
    checkArgument(caller, `${name} of ${what}`, (value as Readonly<Record<string, unknown>>)[name], kinds);
  }
}

/** Checks a registry that wrappers and handles are made over. @throws OciError USAGE */
export function checkRegistry(caller: string, registry: object): void {
  checkFields(caller, 'the registry', registry, { name: 'string', extension: 'function' });
}

function checkKind(what: string, value: unknown, kinds: Kind | readonly Kind[]): void {
  const wanted: readonly Kind[] = typeof kinds === 'string' ? [kinds] : kinds;
  const kind = kindOf(value);
  if (wanted.some((each) => each === kind || (each === 'object' && kind === 'bytes'))) return;
  throw usage(`${what} must be ${wanted.map((each) => articles[each]).join(' or ')}, not ${named(value)}`);
}

function kindOf(value: unknown): Kind | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return 'array';
  if (value instanceof Uint8Array) return 'bytes';
  const type = typeof value;
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'function' || type === 'object'
    ? type
    : undefined;
}

const articles: Readonly<Record<Kind, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  function: 'a function',
  object: 'an object',
  array: 'an array',
  bytes: 'a Uint8Array',
};

// Not the value: it may be a password in the wrong place.
function named(value: unknown): string {
  const kind = kindOf(value);
  return kind === undefined
    ? String(value === null ? 'null' : typeof value)
    : kind === 'boolean'
      ? 'a boolean'
      : articles[kind];
}

function printable(name: string): string {
  return /^[\w-]{1,64}$/.test(name) ? name : 'of that name';
}

function usage(message: string, hint?: string): OciError {
  return new OciError('USAGE', message, { hint });
}
