/** Keys as Go's encoding/json matches them: in any case. What names a registry is a member of a map, and stays exact. */
import type { SettingsDocument } from '../documents/fields.ts';

/** The keys of config.json that matter here, as Docker writes them. */
const configKeys: readonly string[] = ['auths', 'HttpHeaders', 'credsStore', 'credHelpers'];

/**
 * The members of a config.json under the names that Docker writes; other members stay as they are. Two spellings of one
 * map are joined, of two other values the later one counts.
 *
 * @see https://pkg.go.dev/encoding/json#Unmarshal
 */
export function withDockerKeys(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const members = new Map<string, unknown>();
  for (const [written, value] of Object.entries(config)) {
    const key = configKeys.find((name) => sameInGo(name, written)) ?? written;
    const before = members.get(key);
    if (isMap(before) && isMap(value)) members.set(key, { ...before, ...value });
    else if (before === undefined || value !== null) members.set(key, value);
  }
  return Object.fromEntries(members);
}

/** The same for a document, whose lines are those of the keys as written. */
export function inDockerKeys(document: SettingsDocument): SettingsDocument {
  const { value } = document;
  if (!isMap(value)) return document;
  const spellings = new Map<string, string[]>();
  for (const key of Object.keys(value)) {
    const name = key.toLowerCase();
    spellings.set(name, [key, ...(spellings.get(name) ?? [])]);
  }
  return {
    value: withDockerKeys(value),
    lineOf: (first, ...path) => {
      if (first === undefined) return document.lineOf();
      const lines = (spellings.get(String(first).toLowerCase()) ?? []).map((key) => document.lineOf(key, ...path));
      return lines.find((line) => line !== undefined);
    },
  };
}

function sameInGo(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** What Go reads into a field: of several spellings the last, and null is nothing. */
export function memberInGo(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = Object.entries(fields).filter(([key, value]) => sameInGo(key, name) && value !== null);
  return found.at(-1)?.[1];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
