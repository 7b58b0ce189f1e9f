/** Finds errors in a template before there is any data. */
import { requireFunction } from './functions.ts';
import type { Operand, Pipe, TemplateNode } from './parser.ts';
import { templateError } from './tokens.ts';

/**
 * Checks that every function exists and takes this many arguments, and that the data has every field that is used.
 *
 * @param fields The fields of the data; absent if they are not known beforehand.
 * @throws OciError USAGE naming the position.
 */
export function checkNodes(nodes: readonly TemplateNode[], fields: readonly string[] | undefined): void {
  new Checker(fields).nodes(nodes, true);
}

class Checker {
  readonly #fields: readonly string[] | undefined;

  constructor(fields: readonly string[] | undefined) {
    this.#fields = fields;
  }

  /** @param whole Whether the dot is the whole data, not a part of it. */
  nodes(nodes: readonly TemplateNode[], whole: boolean): void {
    for (const node of nodes) {
      if (node.kind === 'text') continue;
      this.#pipe(node.pipe, whole);
      if (node.kind === 'print') continue;
      this.nodes(node.body, whole && node.kind === 'if');
      this.nodes(node.otherwise, whole);
    }
  }

  #pipe({ commands }: Pipe, whole: boolean): void {
    commands.forEach(({ name, operands, at }, i) => {
      if (name !== undefined) requireFunction(name, operands.length + (i > 0 ? 1 : 0), at);
      for (const operand of operands) this.#operand(operand, whole);
    });
  }

  #operand({ base, fields: [first] }: Operand, whole: boolean): void {
    if (base.kind === 'pipe') this.#pipe(base.pipe, whole);
    const ofData = (base.kind === 'dot' && whole) || (base.kind === 'variable' && base.name === '$');
    if (!this.#fields || !ofData || !first || this.#fields.includes(first.name)) return;
    const known = this.#fields.map((field) => `.${field}`).join(', ');
    throw templateError(first.at, `there is no field .${first.name}`, `the fields are ${known}`);
  }
}
