/** Matches keys as Go's encoding/json does, ignoring case. Names of registries are keys of a map, and match exactly. */
import type { SettingsDocument } from '../documents/fields.ts';

/** The relevant keys of config.json, as Docker writes them. */
const configKeys: readonly string[] = ['auths', 'HttpHeaders', 'credsStore', 'credHelpers'];

/**
 * The members of a config.json, under the keys that Docker writes; other members are unchanged. If a key occurs in two
 * spellings, maps are merged, and of other values the later one counts.
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

/** The same for a document. Its lines are those of the keys as written. */
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

/** The value that Go reads into a field: the last one of several spellings. Null counts as absent. */
export function memberInGo(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = Object.entries(fields).filter(([key, value]) => sameInGo(key, name) && value !== null);
  return found.at(-1)?.[1];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
