/** Output templates: the part of Go's text/template that scripts use with Docker and skopeo. */
import { formatTable } from './format.ts';
import { formatJson } from './json.ts';
import { checkNodes } from './template/check.ts';
import { evaluate } from './template/evaluate.ts';
import { parseNodes } from './template/parser.ts';

export interface Template {
  /**
   * The text for this data, ending with a line end. Plain objects are records, which have only the fields they contain;
   * a `Map` may lack any key.
   *
   * @throws OciError USAGE naming the position, and the existing fields or functions.
   */
  render(data: unknown): string;
}

/**
 * Reads a template: fields, `if`, `with`, `range`, variables, pipes, parentheses, `{{-` trimming, comments, and the
 * functions of Docker and Go in {@link templateFunctions}. `\t` and `\n` outside actions are a tab and a line end.
 *
 * @param opts.fields The fields of the data, if they are known beforehand: other fields are then refused here already.
 * @throws OciError USAGE naming the position.
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
type RowFormat = (rows: readonly Readonly<Record<string, unknown>>[]) => Promise<string>;

/**
 * Formats a list as `--format` says: `json` prints one object per line; `table TEMPLATE` aligns the columns at tabs,
 * below a heading; any other template is printed once for each row.
 *
 * @param headings The table's heading of each field; its keys are the existing fields.
 * @throws OciError USAGE, as {@link parseTemplate}.
 */
export function parseRowFormat(format: string, headings: Readonly<Record<string, string>>): RowFormat {
  if (format === 'json') return async (rows) => rows.map((row) => `${formatJson(row)}\n`).join('');
  const [, ofTable] = /^table\s+(.+)$/s.exec(format) ?? [];
  const template = parseTemplate(ofTable ?? format, { fields: Object.keys(headings) });
  if (ofTable === undefined) return async (rows) => rows.map((row) => template.render(row)).join('');
  return (rows) => formatTable([headings, ...rows].map((row) => template.render(row).replace(/\n$/, '').split('\t')));
}
