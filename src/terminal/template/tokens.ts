/** The first pass over a template: splits it into texts and actions, and the actions into tokens. */
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';

export interface Token {
  readonly kind: 'word' | 'field' | 'dot' | 'variable' | 'string' | 'number' | 'symbol';
  /** The name, the string's value, the number's digits or the symbol. */
  readonly text: string;
  /** Its position in the template, from 0. */
  readonly at: number;
  /** Whether no space precedes it: `.A.B` is one operand, `.A .B` are two. */
  readonly glued: boolean;
}

export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number; readonly endAt: number };

/** The error of a template at a position. @param at From 0; messages count from 1. */
export function templateError(at: number, problem: string, hint?: string): OciError {
  return new OciError('USAGE', `template, character ${at + 1}: ${shown(problem)}`, { hint: hint && shown(hint) });
}

// Words of a template and names of fields may come from anywhere and have any length.
function shown(text: string): string {
  return visible(text.length > 1000 ? `${text.slice(0, 1000)}…` : text);
}

/**
 * Splits a template. `{{-` and `-}}` remove adjacent white space, and comments are removed. Outside actions, `\t` and
 * `\n` are a tab and a line end, as in Docker.
 *
 * @throws OciError USAGE
 * @see https://pkg.go.dev/text/template#hdr-Text_and_spaces
 */
export function segmentsOf(template: string): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  let trims = false;
  while (at < template.length) {
    const open = template.indexOf('{{', at);
    const text = template
      .slice(at, open === -1 ? undefined : open)
      .replace(/\\[tn]/g, (c) => (c === '\\t' ? '\t' : '\n'));
    const inside = open === -1 ? '' : template.slice(open + 2);
    const trimsBefore = /^-\s/.test(inside);
    let shown = trims ? text.trimStart() : text;
    if (trimsBefore) shown = shown.trimEnd();
    if (shown !== '') segments.push({ kind: 'text', text: shown });
    if (open === -1) break;
    const action = readAction(template, open, open + (trimsBefore ? 3 : 2));
    if (action.tokens) segments.push({ kind: 'action', tokens: action.tokens, at: open, endAt: action.endAt });
    ({ endAt: at, trims } = action);
  }
  return segments;
}

interface Action {
  /** Absent for a comment. */
  readonly tokens?: readonly Token[];
  readonly endAt: number;
  readonly trims: boolean;
}

const commentEnd = /\*\/(\s+-)?\}\}/g;
const actionEnd = /(?:\s-)?\}\}/y;

function readAction(template: string, open: number, start: number): Action {
  const opening = /^\s*/.exec(template.slice(start))?.[0].length ?? 0;
  if (template.startsWith('/*', start + opening)) {
    commentEnd.lastIndex = start + opening;
    const end = commentEnd.exec(template);
    if (!end) throw templateError(open, 'the comment is not closed by */}}');
    return { endAt: commentEnd.lastIndex, trims: end[1] !== undefined };
  }
  const tokens: Token[] = [];
  let at = start;
  let glued = false;
  for (;;) {
    actionEnd.lastIndex = at;
    const end = actionEnd.exec(template);
    if (end) return { tokens, endAt: actionEnd.lastIndex, trims: end[0] !== '}}' };
    if (at >= template.length)
      throw templateError(open, 'the action is not closed by }}', 'in a shell, put the template in single quotes');
    if (/\s/.test(template[at] ?? '')) {
      glued = false;
      at += 1;
      continue;
    }
    const { token, endAt } = readToken(template, at, glued);
    tokens.push(token);
    at = endAt;
    glued = true;
  }
}

const shapes: readonly (readonly [Token['kind'], RegExp])[] = [
  ['field', /\.([\p{L}_][\p{L}\p{Nd}_]*)/uy],
  ['number', /([-+]?\d+(?:\.\d+)?)(?![\p{L}\p{Nd}_.])/uy],
  ['dot', /(\.)(?![\p{L}\p{Nd}_.])/uy],
  ['variable', /(\$[\p{L}\p{Nd}_]*)/uy],
  ['word', /([\p{L}_][\p{L}\p{Nd}_]*)/uy],
  ['symbol', /(:=|[|(),=])/y],
  ['string', /`([^`]*)`/y],
];

function readToken(template: string, at: number, glued: boolean): { token: Token; endAt: number } {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = at;
    const text = shape.exec(template)?.[1];
    if (text !== undefined) return { token: { kind, text, at, glued }, endAt: shape.lastIndex };
  }
  const quoted = /^"(?:[^"\\\n]|\\.)*"/.exec(template.slice(at))?.[0];
  if (quoted === undefined) {
    const character = String.fromCodePoint(template.codePointAt(at) ?? 0);
    if (character === '"' || character === '`') throw templateError(at, 'the string is not closed');
    throw templateError(at, `unexpected ${JSON.stringify(character)}`);
  }
  try {
    const text: unknown = JSON.parse(quoted.replaceAll('\t', '\\t'));
    return { token: { kind: 'string', text: String(text), at, glued }, endAt: at + quoted.length };
  } catch {
    throw templateError(
      at,
      'an escape in the string is not known',
      'known are \\n, \\t, \\", \\\\ and \\u followed by four digits',
    );
  }
}
