import { isMap, isNode, LineCounter, parseDocument, visit } from 'yaml';
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import type { SettingsDocument } from './fields.ts';

type Path = readonly (string | number)[];

interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument extends SettingsDocument {
  /** Where the key is that a path ends with. */
  keyPosition(path: Path): Position | undefined;
  /** The column of the value at a path. */
  columnOfValue(...path: Path): number | undefined;
}

/**
 * Parses a YAML file; an empty one is an empty object.
 *
 * @param name The file, for the message. The message never quotes the text, which may hold passwords.
 * @throws OciError CONFIG_INVALID naming the file, line and column, also for a key that stands there twice.
 */
export function parseYamlDocument(text: string, name: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const fail = (offset: number, reason: string): never => {
    const { line, column } = position(offset);
    throw new OciError('CONFIG_INVALID', `${name}:${line}:${column}: not valid YAML: ${reason}`, {
      hint: `Correct ${name}; nothing was changed and nothing was contacted.`,
    });
  };
  const [error] = [...document.errors, ...document.warnings];
  if (error)
    fail(error.pos[0], reasons[error.code] ?? visible(error.message.split('\n')[0] ?? '').replace(/"[^"]+"/g, '…'));
  visit(document, {
    Alias: (_key, alias) => {
      if (!alias.resolve(document)) fail(alias.range?.[0] ?? 0, 'an alias stands before its anchor');
    },
  });
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    // A few lines of aliases can stand for more than there is memory.
    if (!(error instanceof ReferenceError)) throw error;
    fail(0, 'its aliases stand for too much');
  }
  const valuePosition = (path: Path): Position | undefined => {
    const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
    return isNode(node) && node.range ? position(node.range[0]) : undefined;
  };
  return {
    value,
    lineOf: (...path) => valuePosition(path)?.line,
    columnOfValue: (...path) => valuePosition(path)?.column,
    keyPosition: (path) => {
      const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
      if (!isMap(parent)) return undefined;
      const pair = parent.items.find(({ key }) => isNode(key) && String(key) === String(path.at(-1)));
      return isNode(pair?.key) && pair.key.range ? position(pair.key.range[0]) : undefined;
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key stands here a second time',
  MULTIPLE_DOCS: 'a second document begins',
};
