/** Evaluates a parsed template with data. */
import { callFunction } from './functions.ts';
import type { Operand, Pipe, PipeCommand, TemplateNode } from './parser.ts';
import { templateError } from './tokens.ts';
import { isRecord, isTrue, kindOf, printed, sortedEntries } from './values.ts';

/** The variables of a block. Those of surrounding blocks are visible and can be set. */
class Variables {
  readonly #own = new Map<string, unknown>();
  readonly #around: Variables | undefined;

  constructor(around?: Variables) {
    this.#around = around;
  }

  get(name: string, at: number): unknown {
    return this.#holder(name, at).get(name);
  }

  set(name: string, value: unknown, at: number): void {
    this.#holder(name, at).set(name, value);
  }

  declare(name: string, value: unknown): void {
    this.#own.set(name, value);
  }

  #holder(name: string, at: number): Map<string, unknown> {
    if (this.#own.has(name)) return this.#own;
    if (!this.#around) throw templateError(at, `the variable ${name} is not set`);
    return this.#around.#holder(name, at);
  }
}

/** The text of a template for this data. @throws OciError USAGE */
export function evaluate(nodes: readonly TemplateNode[], data: unknown): string {
  const variables = new Variables();
  variables.declare('$', data);
  return run(nodes, data, variables);
}

function run(nodes: readonly TemplateNode[], dot: unknown, variables: Variables): string {
  let text = '';
  for (const node of nodes) text += node.kind === 'text' ? node.text : runAction(node, dot, variables);
  return text;
}

function runAction(node: Exclude<TemplateNode, { kind: 'text' }>, dot: unknown, variables: Variables): string {
  if (node.kind === 'print') {
    const value = pipeValue(node.pipe, dot, variables);
    return node.pipe.names.length > 0 ? '' : printed(value);
  }
  const inner = new Variables(variables);
  if (node.kind === 'range') return runRange(node, dot, inner);
  const value = pipeValue(node.pipe, dot, inner);
  if (!isTrue(value)) return run(node.otherwise, dot, inner);
  return run(node.body, node.kind === 'with' ? value : dot, inner);
}

function runRange(
  node: Extract<TemplateNode, { kind: 'if' | 'with' | 'range' }>,
  dot: unknown,
  variables: Variables,
): string {
  const { names, assigns, at } = node.pipe;
  const over = pipeValue({ ...node.pipe, names: [] }, dot, variables);
  const entries = entriesOf(over, at);
  if (entries.length === 0) return run(node.otherwise, dot, variables);
  let text = '';
  for (const [key, value] of entries) {
    const inner = new Variables(variables);
    const values = names.length === 2 ? [key, value] : [value];
    names.forEach((name, i) => {
      if (assigns) inner.set(name, values[i], at);
      else inner.declare(name, values[i]);
    });
    text += run(node.body, value, inner);
  }
  return text;
}

function entriesOf(value: unknown, at: number): readonly (readonly [string | number, unknown])[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, i) => [i, item] as const);
  if (value instanceof Map) return sortedEntries(value);
  throw templateError(at, `range needs a list or a map, this is ${kindOf(value)}`);
}

function pipeValue(pipe: Pipe, dot: unknown, variables: Variables): unknown {
  const [first, ...rest] = pipe.commands;
  let value = commandValue(first, [], dot, variables);
  for (const command of rest) value = commandValue(command, [value], dot, variables);
  const [name, second] = pipe.names;
  if (second !== undefined) throw templateError(pipe.at, 'two variables can be set by range alone');
  if (name === undefined) return value;
  if (pipe.assigns) variables.set(name, value, pipe.at);
  else variables.declare(name, value);
  return value;
}

/** @param piped The previous command's value, passed as the last argument. */
function commandValue(command: PipeCommand, piped: readonly unknown[], dot: unknown, variables: Variables): unknown {
  const { name, operands, at } = command;
  const args = operands.map((operand) => operandValue(operand, dot, variables));
  if (name !== undefined) return callFunction(name, [...args, ...piped], at);
  if (piped.length > 0) throw templateError(at, 'only a function can follow |');
  return args[0];
}

function operandValue({ base, fields, at }: Operand, dot: unknown, variables: Variables): unknown {
  let value: unknown;
  if (base.kind === 'dot') value = dot;
  else if (base.kind === 'variable') value = variables.get(base.name, at);
  else if (base.kind === 'literal') value = base.value;
  else value = pipeValue(base.pipe, dot, variables);
  for (const field of fields) value = fieldOf(value, field.name, field.at);
  return value;
}

function fieldOf(value: unknown, name: string, at: number): unknown {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Map) return value.get(name);
  if (!isRecord(value)) throw templateError(at, `${kindOf(value)} has no field .${name}`);
  if (Object.hasOwn(value, name)) return value[name];
  const known = Object.keys(value).map((field) => `.${field}`);
  throw templateError(at, `there is no field .${name}`, `the fields are ${known.join(', ')}`);
}
