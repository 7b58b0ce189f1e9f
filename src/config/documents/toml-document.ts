import { parse, TomlError } from 'smol-toml';
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import { correctionOf } from './config-error.ts';
import type { SettingsDocument } from './fields.ts';

type Path = readonly (string | number)[];

/**
 * Parses a TOML file. Lines are known for tables, and for keys on a line of their own.
 *
 * @param name The file, for the message. The message never quotes the text, which may contain passwords.
 * @throws OciError CONFIG_INVALID naming the file, line and column.
 */
export function parseTomlDocument(text: string, name: string): SettingsDocument {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  let value: unknown;
  try {
    value = parse(body);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line: after it the message quotes the text.
    const reason = visible(error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '');
    throw new OciError('CONFIG_INVALID', `${name}:${error.line}:${error.column}: not valid TOML: ${reason}`, {
      hint: correctionOf({ kind: 'file', name }),
    });
  }
  const lines = findLines(body);
  return { value, lineOf: (...path) => lines.get(JSON.stringify(path)) };
}

/** Longer headers get no line: parsing a key costs the length of all keys before it. */
const maxHeaderLength = 1000;

/** smol-toml reports no positions, so table headers are located by a regular expression and parsed one at a time. */
function findLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table: Path = [];
  for (const [index, line] of text.split('\n').entries()) {
    const isHeader = line.length < maxHeaderLength && /^\s*\[.*\]\s*(?:#.*)?$/.test(line);
    const header = isHeader ? keysOf(line) : undefined;
    if (header) {
      table = resolve(header, counts, /^\s*\[\[/.test(line));
      // A header also defines the tables around it.
      for (const [at] of table.entries()) note(lines, table.slice(0, at + 1), index + 1);
      continue;
    }
    const [, bare, quoted] = /^\s*(?:([A-Za-z0-9_-]+)|"([^"\\]*)")\s*=/.exec(line) ?? [];
    const key = bare ?? quoted;
    if (key !== undefined) note(lines, [...table, key], index + 1);
  }
  return lines;
}

function note(lines: Map<string, number>, path: Path, line: number): void {
  const key = JSON.stringify(path);
  if (!lines.has(key)) lines.set(key, line);
}

/** The keys of `[a."b.c"]`; undefined if the line is part of an array or a string. */
function keysOf(line: string): readonly string[] | undefined {
  try {
    const keys: string[] = [];
    let inner: unknown = parse(line);
    while (typeof inner === 'object' && inner !== null) {
      if (Array.isArray(inner)) inner = inner[0];
      const [entry] = Object.entries(inner ?? {});
      if (!entry) break;
      keys.push(entry[0]);
      inner = entry[1];
    }
    return keys;
  } catch {
    return undefined;
  }
}

/** Adds the index of the latest element after each key that names a list of tables. */
function resolve(keys: readonly string[], counts: Map<string, number>, isNew: boolean): Path {
  let path: Path = [];
  for (const [at, key] of keys.entries()) {
    path = [...path, key];
    const id = JSON.stringify(path);
    const count = counts.get(id) ?? 0;
    if (isNew && at === keys.length - 1) {
      counts.set(id, count + 1);
      return [...path, count];
    }
    if (count > 0) path = [...path, count - 1];
  }
  return path;
}
