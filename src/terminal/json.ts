import { OciError } from '../model/errors.ts';
import { hiddenCharacter } from '../model/quote.ts';
import { isRecord, sortedEntries } from './template/values.ts';

interface JsonOptions {
  /** Spaces per level; if absent, everything is on one line. */
  readonly indent?: number;
  /** Writes `<`, `>` and `&` as `\u003c` and so on, as Go does by default. */
  readonly escapeHtml?: boolean;
}

// A hostile document could overflow the stack, or, by its indentation, use up the memory.
const maxDepth = 200;
const maxIndentation = 64 * 1024 * 1024;

/**
 * JSON as Go's programs write it: maps sorted by key, records in the order of their fields, without undefined fields.
 * Control, bidirectional and invisible characters are escaped, so that it is safe to show on a terminal.
 *
 * @throws OciError TOO_LARGE past 200 levels, or 64 MiB of indentation.
 */
export function formatJson(value: unknown, { indent = 0, escapeHtml = false }: JsonOptions = {}): string {
  const [end, colon] = indent > 0 ? ['\n', ': '] : ['', ':'];
  const text = (string: string): string => {
    const json = escapeHidden(JSON.stringify(string));
    return escapeHtml ? json.replace(/[<>&]/g, escapes) : json;
  };
  let indentation = 0;
  const write = (item: unknown, depth: number): string => {
    if (depth > maxDepth) throw tooDeep(`is nested more than ${maxDepth} levels deep`);
    indentation += indent * depth;
    if (indentation > maxIndentation) throw tooDeep('would be mostly indentation');
    const [inside, outside] = [' '.repeat(indent * (depth + 1)), ' '.repeat(indent * depth)];
    const block = (open: string, items: readonly string[], close: string): string =>
      items.length === 0
        ? open + close
        : `${open}${end}${items.map((each) => inside + each).join(`,${end}`)}${end}${outside}${close}`;
    if (item === null || item === undefined) return 'null';
    const deeper = (each: unknown): string => write(each, depth + 1);
    if (Array.isArray(item)) return block('[', item.map(deeper), ']');
    const entries = item instanceof Map ? sortedEntries(item) : isRecord(item) ? Object.entries(item) : undefined;
    if (!entries) return typeof item === 'string' ? text(item) : JSON.stringify(item);
    const fields = entries.flatMap(([key, each]) => (each === undefined ? [] : [text(key) + colon + deeper(each)]));
    return block('{', fields, '}');
  };
  return write(value, 0);
}

function tooDeep(problem: string): OciError {
  const hint = 'ocictl blob get and ocictl manifest get print it as it is stored';
  return new OciError('TOO_LARGE', `the JSON ${problem}, and is not printed`, { hint });
}

/** The same JSON, safe to show on a terminal. @param json On one line. */
export function escapeHidden(json: string): string {
  return json.replace(hiddenCharacter, escapes);
}

// JSON escapes, unlike those of `visible`, since the output is parsed again. A character past U+FFFF is two units, with
// an escape each.
function escapes(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
