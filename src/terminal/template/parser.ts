/** Parses a template's segments into a tree. @see https://pkg.go.dev/text/template#hdr-Actions */
import { type Segment, segmentsOf, type Token, templateError } from './tokens.ts';

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    };

/** `$a, $b := first | second`: the value of each command is the last argument of the next. */
export interface Pipe {
  /** Variables that get the value; a pipe with variables prints nothing. */
  readonly names: readonly string[];
  /** Whether it sets existing variables (`=`) instead of declaring new ones (`:=`). */
  readonly assigns: boolean;
  readonly commands: readonly [PipeCommand, ...PipeCommand[]];
  readonly at: number;
}

export interface PipeCommand {
  /** A function's name; undefined if the command is a single operand. */
  readonly name: string | undefined;
  readonly operands: readonly Operand[];
  readonly at: number;
}

/** A value, and the fields to follow from it. */
export interface Operand {
  readonly base:
    | { readonly kind: 'dot' }
    | { readonly kind: 'variable'; readonly name: string }
    | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
    | { readonly kind: 'pipe'; readonly pipe: Pipe };
  readonly fields: readonly { readonly name: string; readonly at: number }[];
  readonly at: number;
}

const blocks: readonly string[] = ['if', 'with', 'range'];
const unsupported: readonly string[] = ['define', 'template', 'block', 'break', 'continue'];
const literals: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

/** @throws OciError USAGE */
export function parseNodes(template: string): readonly TemplateNode[] {
  const parser = new Parser(segmentsOf(template));
  const { nodes, stop } = parser.list();
  if (stop) throw templateError(stop.at, `${stop.text} without an if, with or range before it`);
  return nodes;
}

/** What ended a list of nodes: `end` or `else`. */
type Stop = Token & { readonly rest: Tokens };

/**
 * Limits nested blocks and parentheses, with `else if`. Each level is a recursive call of the parser and of the evaluation.
 */
const maxDepth = 200;

function refuseDepth(depth: number, at: number): void {
  if (depth > maxDepth) throw templateError(at, `it is nested deeper than ${maxDepth} levels`);
}

class Parser {
  readonly #segments: readonly Segment[];
  #next = 0;
  #depth = 0;

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  list(): { nodes: readonly TemplateNode[]; stop?: Stop } {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const segment = this.#segments[this.#next];
      if (!segment) return { nodes };
      this.#next += 1;
      if (segment.kind === 'text') {
        nodes.push(segment);
        continue;
      }
      const tokens = new Tokens(segment);
      const first = tokens.peek();
      if (first === undefined) throw templateError(segment.at, 'the action is empty');
      if (first.kind === 'word' && (first.text === 'end' || first.text === 'else')) {
        tokens.take();
        return { nodes, stop: { ...first, rest: tokens } };
      }
      if (first.kind === 'word' && unsupported.includes(first.text)) {
        throw templateError(first.at, `${first.text} is not supported in this template`);
      }
      if (first.kind === 'word' && blocks.includes(first.text)) nodes.push(this.#block(tokens));
      else nodes.push({ kind: 'print', pipe: tokens.wholePipe() });
    }
  }

  /** Parses from the word `if`, `with` or `range` to its `end`. */
  #block(tokens: Tokens): TemplateNode {
    const opening = tokens.take();
    const kind = opening?.text === 'range' ? 'range' : opening?.text === 'with' ? 'with' : 'if';
    const at = opening?.at ?? 0;
    this.#depth += 1;
    refuseDepth(this.#depth, at);
    const pipe = tokens.wholePipe();
    const { nodes: body, stop } = this.list();
    if (!stop) throw templateError(at, `${kind} is not closed by {{end}}`);
    if (stop.text === 'end') {
      stop.rest.finish();
      this.#depth -= 1;
      return { kind, pipe, body, otherwise: [] };
    }
    // `else if` opens a block that ends with the same `end`.
    if (stop.rest.peek() !== undefined) {
      const next = stop.rest.peek();
      if (kind === 'range' || next?.text !== kind)
        throw templateError(next?.at ?? at, `unexpected ${next?.text} after else`);
      const otherwise = [this.#block(stop.rest)];
      this.#depth -= 1;
      return { kind, pipe, body, otherwise };
    }
    const { nodes: otherwise, stop: end } = this.list();
    if (end?.text !== 'end') throw templateError(end?.at ?? at, `${kind} is not closed by {{end}}`);
    end.rest.finish();
    this.#depth -= 1;
    return { kind, pipe, body, otherwise };
  }
}

/** The tokens of one action, read from the left. */
class Tokens {
  readonly #tokens: readonly Token[];
  readonly #at: number;
  readonly #endAt: number;
  #next = 0;
  #depth = 0;

  constructor({ tokens, at, endAt }: Extract<Segment, { kind: 'action' }>) {
    this.#tokens = tokens;
    this.#at = at;
    this.#endAt = endAt;
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#next + ahead];
  }

  take(): Token | undefined {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  finish(): void {
    const token = this.peek();
    if (token) throw templateError(token.at, `unexpected ${JSON.stringify(token.text)}`);
  }

  wholePipe(): Pipe {
    const pipe = this.#pipe();
    this.finish();
    return pipe;
  }

  #pipe(): Pipe {
    const at = this.peek()?.at ?? this.#at;
    const names = this.#declared();
    const assigns = names.length > 0 && this.take()?.text === '=';
    const commands: [PipeCommand, ...PipeCommand[]] = [this.#command()];
    while (this.peek()?.text === '|' && this.peek()?.kind === 'symbol') {
      this.take();
      commands.push(this.#command());
    }
    return { names, assigns, commands, at };
  }

  /** The variables before `:=` or `=`. The symbol is not consumed. */
  #declared(): string[] {
    const count = [1, 3].find((n) => this.peek(n)?.kind === 'symbol' && [':=', '='].includes(this.peek(n)?.text ?? ''));
    if (count === undefined || (count === 3 && this.peek(1)?.text !== ',')) return [];
    const names: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const token = this.take();
      if (i === 1) continue;
      if (token?.kind !== 'variable' || token.text === '$') {
        throw templateError(token?.at ?? this.#at, 'only a variable such as $name can be set');
      }
      names.push(token.text);
    }
    return names;
  }

  #command(): PipeCommand {
    const first = this.peek();
    const at = first?.at ?? this.#endAt - 2;
    const name = first?.kind === 'word' && !literals.has(first.text) ? first.text : undefined;
    if (name !== undefined) this.take();
    const operands: Operand[] = [];
    for (let next = this.peek(); next && !isOneOf(next, '|', ')'); next = this.peek())
      operands.push(this.#operand(next));
    if (name === undefined && operands.length === 0) throw templateError(at, 'a value is missing');
    const [, second] = operands;
    if (name === undefined && second) {
      throw templateError(second.at, 'only a function takes arguments', 'write {{.A}} {{.B}} to print two values');
    }
    return { name, operands, at };
  }

  #operand(token: Token): Operand {
    this.take();
    const { at } = token;
    const fields = token.kind === 'field' ? [{ name: token.text, at }] : [];
    const base = token.kind === 'field' ? ({ kind: 'dot' } as const) : this.#base(token);
    for (let next = this.peek(); next?.kind === 'field' && next.glued; next = this.peek()) {
      fields.push({ name: next.text, at: next.at });
      this.take();
    }
    return { base, fields, at };
  }

  #base(token: Token): Operand['base'] {
    const { kind, text, at } = token;
    if (kind === 'dot') return { kind };
    if (kind === 'variable') return { kind, name: text };
    if (kind === 'string') return { kind: 'literal', value: text };
    if (kind === 'number') return { kind: 'literal', value: Number(text) };
    const value = kind === 'word' ? literals.get(text) : undefined;
    if (value !== undefined) return { kind: 'literal', value };
    if (kind === 'word')
      throw templateError(at, `unexpected ${text}`, `write (${text} …) for the result of a function`);
    if (text !== '(') throw templateError(at, `unexpected ${JSON.stringify(text)}`);
    this.#depth += 1;
    refuseDepth(this.#depth, at);
    const pipe = this.#pipe();
    this.#depth -= 1;
    const closing = this.take();
    if (!closing || !isOneOf(closing, ')')) throw templateError(at, 'the parenthesis is not closed');
    return { kind: 'pipe', pipe };
  }
}

function isOneOf(token: Token, ...symbols: string[]): boolean {
  return token.kind === 'symbol' && symbols.includes(token.text);
}
