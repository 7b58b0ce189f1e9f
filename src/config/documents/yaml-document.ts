import { isCollection, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { OciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import { correctionOf } from './config-error.ts';
import type { SettingsDocument } from './fields.ts';

type Path = readonly (string | number)[];

interface Position {
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument extends SettingsDocument {
  /** The position of the key at the end of a path. */
  keyPosition(path: Path): Position | undefined;
  /** The column of the value at a path. */
  columnOfValue(...path: Path): number | undefined;
}

/**
 * Parses a YAML file. An empty file is an empty object.
 *
 * @param name The file, for the message. The message never quotes the text, which may contain passwords.
 * @throws OciError CONFIG_INVALID naming the file, line and column, also for a duplicate key.
 */
export function parseYamlDocument(text: string, name: string): YamlDocument {
  const lines = new LineCounter();
  const deep = deepNesting(text);
  if (deep !== undefined) {
    throw new OciError('CONFIG_INVALID', `${name}:${deep}: not valid YAML: it is nested too deep`, {
      hint: correctionOf({ kind: 'file', name }),
    });
  }
  // Duplicate keys are checked below: the parser would compare each key with all before it.
  const options = { lineCounter: lines, prettyErrors: false, logLevel: 'error', uniqueKeys: false } as const;
  const document = parseDocument(text, options);
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const fail = (offset: number, reason: string): never => {
    const { line, column } = position(offset);
    throw new OciError('CONFIG_INVALID', `${name}:${line}:${column}: not valid YAML: ${reason}`, {
      hint: correctionOf({ kind: 'file', name }),
    });
  };
  const [error] = [...document.errors, ...document.warnings];
  if (error)
    fail(error.pos[0], reasons[error.code] ?? visible(error.message.split('\n')[0] ?? '').replace(/"[^"]+"/g, '…'));
  let aliases = 0;
  visit(document, {
    Map: (_key, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) fail(key.range?.[0] ?? 0, duplicateKey);
        seen.add(key.value);
      }
    },
    Alias: (_key, alias) => {
      aliases += 1;
      // The parser searches the whole document for each alias.
      if (aliases > maxAliases) fail(alias.range?.[0] ?? 0, `it has more than ${maxAliases} aliases`);
      if (!alias.resolve(document)) fail(alias.range?.[0] ?? 0, 'an alias precedes its anchor');
    },
  });
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    // A few lines of aliases can expand to more than fits in memory.
    if (!(error instanceof ReferenceError)) throw error;
    fail(0, 'its aliases expand to too much data');
  }
  const valuePosition = (path: Path): Position | undefined => {
    let node: unknown = document.contents;
    for (const step of path) node = childOf(node, step)?.value;
    return isNode(node) && node.range ? position(node.range[0]) : undefined;
  };
  return {
    value,
    lineOf: (...path) => valuePosition(path)?.line,
    columnOfValue: (...path) => valuePosition(path)?.column,
    keyPosition: (path) => {
      let parent: unknown = document.contents;
      for (const step of path.slice(0, -1)) parent = childOf(parent, step)?.value;
      const key = isMap(parent) ? childOf(parent, path.at(-1) ?? '')?.key : undefined;
      return isNode(key) && key.range ? position(key.range[0]) : undefined;
    },
  };
}

const maxAliases = 100;
/** Nested brackets, or collections started on one line; settings have four. */
const maxDepth = 100;
const duplicateKey = 'this key occurs twice';

/**
 * The line on which the nesting becomes too deep. The parser's cost grows with each level, and 8,000 brackets would end
 * the process.
 */
function deepNesting(text: string): number | undefined {
  let [line, brackets, begun] = [1, 0, 0];
  for (const character of text) {
    if (character === '\n') [line, begun] = [line + 1, 0];
    else if (character === '[' || character === '{') brackets += 1;
    else if (character === ']' || character === '}') brackets = Math.max(0, brackets - 1);
    else if (begun >= 0 && (character === '-' || character === '?')) begun += 1;
    else if (character !== ' ') begun = -1;
    if (brackets > maxDepth || begun > maxDepth) return line;
  }
  return undefined;
}

interface Child {
  readonly key: unknown;
  readonly value: unknown;
}

/** Members of collections by key: `getIn` would search all of them for each key. */
const members = new WeakMap<object, ReadonlyMap<string, Child>>();

function childOf(node: unknown, step: string | number): Child | undefined {
  if (!isCollection(node)) return undefined;
  let known = members.get(node);
  if (known === undefined) {
    known = new Map(
      node.items.map((item, at): [string, Child] =>
        isPair(item)
          ? [isScalar(item.key) ? String(item.key.value) : String(item.key), { key: item.key, value: item.value }]
          : [String(at), { key: undefined, value: item }],
      ),
    );
    members.set(node, known);
  }
  return known.get(String(step));
}

const reasons: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second document begins',
};
