/** The values of templates: null, booleans, numbers, strings, lists, maps with any keys, records with known fields. */

/** Whether `if` accepts it: not null, false, 0 or empty. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return value !== null && value !== undefined && value !== false && value !== 0 && value !== '';
}

/** Whether it is a record: a plain object, which has only the fields it contains. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

/** A word for the kind of a value, for errors. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a map';
  return typeof value === 'object' ? 'a record' : `a ${typeof value}`;
}

/** The entries of a map sorted by key, as Go prints and iterates them. */
export function sortedEntries(map: ReadonlyMap<unknown, unknown>): (readonly [string, unknown])[] {
  return [...map]
    .map(([key, value]) => [String(key), value] as const)
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** A value as Go prints it: `[a b]`, `map[k:v]`, `{x y}`; `<no value>` for undefined and null. */
export function printed(value: unknown): string {
  return value === null || value === undefined ? '<no value>' : inner(value);
}

function inner(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(inner).join(' ')}]`;
  if (value instanceof Map)
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${inner(item)}`)
      .join(' ')}]`;
  if (isRecord(value)) return `{${Object.values(value).map(inner).join(' ')}}`;
  return String(value);
}
