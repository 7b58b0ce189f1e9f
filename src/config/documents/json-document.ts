import { OciError } from '../../model/errors.ts';
import type { SettingsDocument } from './fields.ts';

/** The deepest nesting that is read; settings files have four levels. */
const maxDepth = 200;

/**
 * Parses a settings file. An empty file is an empty object, and a byte order mark, which Windows editors write, is skipped.
 *
 * @param name The file or variable, for the message. The message never quotes the text, which may hold passwords.
 * @throws OciError CONFIG_INVALID naming the file, line and column.
 */
export function parseJsonDocument(text: string, name: string): SettingsDocument {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (body.trim() === '') return { value: {}, lineOf: () => undefined };
  const offsets = scan(body, name);
  const key = (path: readonly (string | number)[]) => JSON.stringify(path);
  return {
    value: JSON.parse(body) as unknown,
    lineOf: (...path) => {
      const offset = offsets.get(key(path));
      return offset === undefined ? undefined : position(body, offset).line;
    },
  };
}

/** Walks the grammar of RFC 8259: JSON.parse tells neither the line of a fault nor that of a value. */
function scan(text: string, name: string): Map<string, number> {
  const offsets = new Map<string, number>();
  let at = 0;
  const fail = (expected: string): never => {
    const { line, column } = position(text, at);
    throw new OciError('CONFIG_INVALID', `${name}:${line}:${column}: not valid JSON, expected ${expected}`, {
      hint: `Correct ${name}; nothing was changed and nothing was contacted.`,
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
  const value = (path: readonly (string | number)[]): void => {
    space();
    if (path.length > maxDepth) fail('less nesting');
    offsets.set(JSON.stringify(path), at);
    if (take('{')) {
      if (take('}')) return;
      do {
        const key = string('a key in double quotes');
        if (!take(':')) fail("':'");
        value([...path, key]);
      } while (take(','));
      if (!take('}')) fail("',' or '}'");
    } else if (take('[')) {
      if (take(']')) return;
      let index = 0;
      do value([...path, index++]);
      while (take(','));
      if (!take(']')) fail("',' or ']'");
    } else if (text[at] === '"') string('the end of the string');
    else if (match(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y) === undefined) {
      fail('a value');
    }
  };
  value([]);
  space();
  if (at < text.length) fail('the end of the file');
  return offsets;
}

function position(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
