import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';

export interface SourceFile {
  /** Path below the root that was read, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** Paths below `src`, with `/`. */
  readonly from: string;
  readonly specifier: string;
  readonly kind: 'static' | 'type' | 'late';
  /** The imported names, as the other file exports them; `*` for all. Empty if the file is only exported again. */
  readonly names: readonly string[];
}

export interface Exports {
  readonly names: readonly string[];
  /** The files that `export * from` exports again, as written. */
  readonly passedOn: readonly string[];
}

/** Every file below a directory with this ending. */
export async function readSources(root: string, ending = '.ts'): Promise<SourceFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending));
  return Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(root, path).replaceAll(sep, '/'), text: await readFile(path, 'utf8') };
    }),
  );
}

/** The imports and re-exports of a file, as written. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  for (const [, keyword, clause = '', , specifier = ''] of code.matchAll(
    /\b(import|export)\b((?:\s+type)?[\s\w*{},$]*?\bfrom\b)?\s*(['"])([^'"]+)\3/g,
  )) {
    if (keyword === 'export' && clause === '') continue;
    const names = keyword === 'export' && passesAllOn(clause) ? [] : namesIn(clause);
    found.push({ from: path, specifier, kind: isTypeOnly(clause) ? 'type' : 'static', names });
  }
  for (const [, braces, specifier = '', member] of code.matchAll(
    /(?:\{([^{}]*)\}\s*=\s*await\s+)?\b(?:import|require)\(\s*['"`]([^'"`]+)['"`]\s*\)(?:\)?\s*\.\s*(?!then\b|catch\b)([\w$]+))?/g,
  )) {
    found.push({ from: path, specifier, kind: 'late', names: lateNames(braces, member) });
  }
  return found;
}

/** The exports of a file. Declarations are found at the beginning of a line, where the formatter puts them. */
export function exportsOf({ text }: SourceFile): Exports {
  const declared =
    /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type|enum|namespace) ?([\w$]+)/gm;
  const names = [
    ...[...text.matchAll(declared)].map(([, name = '']) => name),
    ...[...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
      listed(list).map(({ as }) => as),
    ),
    ...[...text.matchAll(/^export (?:type )?\* as ([\w$]+)/gm)].map(([, name = '']) => name),
    ...(/^export default\b/m.test(text) ? ['default'] : []),
  ];
  const passedOn = [...text.matchAll(/^export (?:type )?\* from '([^']+)'/gm)].map(([, specifier = '']) => specifier);
  return { names: [...new Set(names)], passedOn };
}

/** The path below `src` that a relative import means; undefined for packages. A leading `..` means outside `src`. */
export function targetOf({ from, specifier }: Pick<Import, 'from' | 'specifier'>): string | undefined {
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier) : undefined;
}

/** The folder directly below the root, or the file there. */
export function folderOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

export function lineCount(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}

export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

// `import { type A }` is erased if every name in the braces is a type.
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b(?!\s*(?:,|from\b))/.test(clause)) return true;
  const braces = /^\s*\{([^}]*)\}\s*from$/.exec(clause)?.[1];
  const names = (braces ?? '').split(',').filter((name) => name.trim() !== '');
  return names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}

function passesAllOn(clause: string): boolean {
  return /^\s*(?:type\s+)?\*\s*from$/.test(clause);
}

function namesIn(clause: string): string[] {
  if (clause.includes('*')) return ['*'];
  const [, whole, braces = ''] =
    /^\s*(?:type\s+(?!from\b|,))?([\w$]+(?=\s*,|\s+from$))?[^{]*(?:\{([^}]*)\})?/.exec(clause) ?? [];
  return [...(whole === undefined ? [] : ['default']), ...listed(braces).map(({ name }) => name)];
}

function lateNames(braces: string | undefined, member: string | undefined): string[] {
  if (member !== undefined) return [member];
  return braces === undefined ? ['*'] : braces.split(',').flatMap((word) => /[\w$]+/.exec(word)?.[0] ?? []);
}

/** Each name in `a, type B as C`, with its name in the importing file. */
function listed(list: string): { readonly name: string; readonly as: string }[] {
  return list.split(',').flatMap((word) => {
    const [, name, as] = /^\s*(?:type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$/.exec(word) ?? [];
    return name === undefined ? [] : [{ name, as: as ?? name }];
  });
}
