import { OciError } from '../../model/errors.ts';
import { correctionOf } from './config-error.ts';
import type { SettingsDocument } from './fields.ts';

/** Maximum nesting; settings files have four levels. */
const maxDepth = 200;

/**
 * Parses a settings file. An empty file is an empty object. A byte order mark, as written by Windows editors, is skipped.
 *
 * @param name The file or variable, for the message. The message never quotes the text, which may contain passwords.
 * @throws OciError CONFIG_INVALID naming the file, line and column.
 */
export function parseJsonDocument(text: string, name: string): SettingsDocument {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (body.trim() === '') return { value: {}, lineOf: () => undefined };
  const root = scan(body, name);
  const lines = new LineStarts(body);
  return {
    value: JSON.parse(body) as unknown,
    lineOf: (...path) => {
      let found: Found | undefined = root;
      for (const step of path) found = found?.inside?.get(step);
      return found && lines.position(found.at).line;
    },
  };
}

/**
 * The offset of a value, and of those inside. A tree needs memory linear in the text; a list of full paths would be
 * quadratic.
 */
interface Found {
  readonly at: number;
  inside?: Map<string | number, Found>;
}

/** Scans the grammar of RFC 8259, because JSON.parse reports no lines, neither of errors nor of values. */
function scan(text: string, name: string): Found {
  let at = 0;
  const fail = (expected: string): never => {
    const { line, column } = new LineStarts(text).position(at);
    throw new OciError('CONFIG_INVALID', `${name}:${line}:${column}: not valid JSON, expected ${expected}`, {
      hint: correctionOf({ kind: 'file', name }),
    });
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const space = () => match(/[ \t\r\n]*/y);
  const take = (character: string): boolean => {
    space();
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const string = (what: string): string => {
    space();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside a string
    const found = match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    return found === undefined ? fail(what) : (JSON.parse(found) as string);
  };
  const value = (depth: number): Found => {
    space();
    if (depth > maxDepth) fail('less nesting');
    const found: Found = { at };
    if (take('{')) {
      if (take('}')) return found;
      found.inside = new Map();
      do {
        const key = string('a key in double quotes');
        if (!take(':')) fail("':'");
        found.inside.set(key, value(depth + 1));
      } while (take(','));
      if (!take('}')) fail("',' or '}'");
    } else if (take('[')) {
      if (take(']')) return found;
      found.inside = new Map();
      let index = 0;
      do found.inside.set(index++, value(depth + 1));
      while (take(','));
      if (!take(']')) fail("',' or ']'");
    } else if (text[at] === '"') string('the end of the string');
    else if (match(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y) === undefined) {
      fail('a value');
    }
    return found;
  };
  const root = value(0);
  space();
  if (at < text.length) fail('the end of the file');
  return root;
}

/** Converts offsets to lines and columns, which count from 1. */
class LineStarts {
  readonly #starts = [0];

  constructor(text: string) {
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) this.#starts.push(end + 1);
  }

  position(offset: number): { readonly line: number; readonly column: number } {
    let [first, last] = [0, this.#starts.length - 1];
    while (first < last) {
      const middle = Math.ceil((first + last) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) first = middle;
      else last = middle - 1;
    }
    return { line: first + 1, column: offset - (this.#starts[first] ?? 0) + 1 };
  }
}
