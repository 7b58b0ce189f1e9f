/** Output templates: the part of Go's text/template that scripts use with Docker and skopeo. */
import { formatTable } from './format.ts';
import { formatJson } from './json.ts';
import { checkNodes } from './template/check.ts';
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
 * @param opts.fields The fields of the data, where they are known beforehand: one that it lacks is refused here already.
 * @throws OciError USAGE naming the place.
 * @see https://pkg.go.dev/text/template
 */
export function parseTemplate(text: string, { fields }: { readonly fields?: readonly string[] } = {}): Template {
  const nodes = parseNodes(text);
  checkNodes(nodes, fields);
  return {
    render(data) {
      const rendered = evaluate(nodes, data);
      return rendered.endsWith('\n') ? rendered : `${rendered}\n`;
    },
  };
}

/** The text of a list. */
type RowFormat = (rows: readonly Readonly<Record<string, unknown>>[]) => string;

/**
 * Prints the rows of a list by `--format`: `json` is an object a line; `table TEMPLATE` aligns at the tabs below a heading; any other
 * template is printed once for each row.
 *
 * @param headings What stands above each field in a table; its keys are the fields there are.
 * @throws OciError USAGE, as {@link parseTemplate}.
 */
export function parseRowFormat(format: string, headings: Readonly<Record<string, string>>): RowFormat {
  if (format === 'json') return (rows) => rows.map((row) => `${formatJson(row)}\n`).join('');
  const [, ofTable] = /^table\s+(.+)$/s.exec(format) ?? [];
  const template = parseTemplate(ofTable ?? format, { fields: Object.keys(headings) });
  if (ofTable === undefined) return (rows) => rows.map((row) => template.render(row)).join('');
  return (rows) => formatTable([headings, ...rows].map((row) => template.render(row).replace(/\n$/, '').split('\t')));
}
