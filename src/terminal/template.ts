/** Output templates: the part of Go's text/template that scripts use with Docker and skopeo. */
import { formatTable } from './format.ts';
import { formatJson } from './json.ts';
import { evaluate } from './template/evaluate.ts';
import { parseNodes } from './template/parser.ts';

export interface Template {
  /**
   * The text for this data. Plain objects are records, whose fields are all the fields there are; a `Map` may lack any key.
   * It ends with a line end.
   *
   * @throws OciError USAGE naming the place, and the fields or functions there are.
   */
  render(data: unknown): string;
}

/**
 * Reads a template: fields, `if`, `with`, `range`, variables, pipes, parentheses, `{{-` trimming, comments, and the functions
 * of Docker's and Go's that {@link templateFunctions} lists. `\t` and `\n` outside actions are a tab and a line end.
 *
 * @throws OciError USAGE naming the place.
 * @see https://pkg.go.dev/text/template
 */
export function parseTemplate(text: string): Template {
  const nodes = parseNodes(text);
  return {
    render(data) {
      const rendered = evaluate(nodes, data);
      return rendered.endsWith('\n') ? rendered : `${rendered}\n`;
    },
  };
}

/**
 * The rows of a list by `--format`: `json` is an object a line; `table TEMPLATE` aligns at the tabs below a heading; any other
 * template is printed once for each row.
 *
 * @param headings What stands above each field in a table.
 * @throws OciError USAGE, as {@link parseTemplate}.
 */
export function formatRows(
  format: string,
  headings: Readonly<Record<string, string>>,
  rows: readonly Readonly<Record<string, unknown>>[],
): string {
  if (format === 'json') return rows.map((row) => `${formatJson(row)}\n`).join('');
  const [, ofTable] = /^table\s+(.+)$/s.exec(format) ?? [];
  const template = parseTemplate(ofTable ?? format);
  if (ofTable === undefined) return rows.map((row) => template.render(row)).join('');
  return formatTable([headings, ...rows].map((row) => template.render(row).replace(/\n$/, '').split('\t')));
}
