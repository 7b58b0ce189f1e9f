/** Commands as words: a JSON array, or words as a shell splits them. */
import { OciError } from '../../model/errors.ts';
import { parseJson } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';

/**
 * Reads `["sh","-c","date"]` or `sh -c 'date -u'`. Quotes and backslashes are those of a shell; nothing is expanded.
 *
 * @throws OciError USAGE naming the option.
 */
export function parseWords(option: string, text: string): readonly string[] {
  return text.trimStart().startsWith('[') ? jsonWords(option, text) : shellWords(option, text);
}

function jsonWords(option: string, text: string): readonly string[] {
  try {
    const value = parseJson(text);
    if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  } catch {
    // The error below says it.
  }
  throw new OciError('USAGE', `${option} is no JSON array of strings: ${quote(text)}`, {
    hint: `write ${option} '["sh","-c","date"]', or words as in a shell`,
  });
}

function shellWords(option: string, text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text[at] ?? '';
    if (/\s/.test(unit)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (unit === "'" || unit === '"') {
      const { value, end } = quoted(option, text, at);
      word = `${word ?? ''}${value}`;
      at = end;
    } else if (unit === '\\') {
      at += 1;
      if (at === text.length) throw unfinished(option, text);
      word = `${word ?? ''}${text[at] ?? ''}`;
    } else word = `${word ?? ''}${unit}`;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** A part in quotes. In double quotes, a backslash is one unless a quote, a backslash, `$` or a backtick follows. */
function quoted(option: string, text: string, start: number): { readonly value: string; readonly end: number } {
  const mark = text[start];
  let value = '';
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text[at] ?? '';
    if (unit === mark) return { value, end: at };
    const next = text[at + 1] ?? '';
    if (mark === '"' && unit === '\\' && /["\\$`]/.test(next)) {
      value += next;
      at += 1;
    } else value += unit;
  }
  throw unfinished(option, text);
}

function unfinished(option: string, text: string): OciError {
  return new OciError('USAGE', `${option} ends within a quote: ${quote(text)}`, {
    hint: `close it, or write a JSON array: ${option} '["sh","-c","date"]'`,
  });
}
