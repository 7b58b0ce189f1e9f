import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';

/** What a folder (or a file right under `src`) may import of ours. */
export interface Layer {
  readonly may: readonly string[] | 'all';
  /** Allowed as a type alone. */
  readonly types?: readonly string[];
  /** Allowed by `import()` alone, or as a type. */
  readonly late?: readonly string[];
}

const belowService = [
  'files',
  'model',
  'registry',
  'wire',
  'config',
  'certs',
  'credentials',
  'transport',
  'auth',
  'endpoints',
  'remote',
];

/** The table of docs/architecture.md. `version.ts` is a constant that every folder may read. */
export const layers: Readonly<Record<string, Layer>> = {
  'version.ts': { may: [] },
  model: { may: [] },
  registry: { may: ['model'] },
  wire: { may: ['model'] },
  files: { may: ['model'] },
  config: { may: ['model'] },
  terminal: { may: ['model'] },
  storage: { may: ['model', 'registry', 'files'] },
  layout: { may: ['model', 'registry', 'files'] },
  'local-store': { may: ['model', 'registry'] },
  transfer: { may: ['model', 'registry'] },
  certs: { may: ['model', 'config'] },
  credentials: { may: ['model', 'config', 'files'] },
  transport: { may: ['model', 'wire', 'config', 'certs', 'files'] },
  auth: { may: ['model', 'wire', 'transport', 'credentials'] },
  endpoints: { may: ['model', 'config', 'certs', 'transport'] },
  remote: { may: ['model', 'registry', 'wire', 'transport', 'auth', 'files'] },
  server: { may: ['model', 'registry', 'wire'] },
  service: { may: belowService },
  places: { may: ['model', 'registry', 'layout', 'local-store'] },
  commands: { may: ['model', 'registry', 'transfer', 'terminal', 'places'], types: ['app'], late: ['server'] },
  app: { may: 'all' },
  program: { may: 'all' },
  'index.ts': { may: 'all' },
};

/** Where the environment may be read. */
export const environmentReaders: readonly string[] = ['config', 'credentials', 'certs', 'program'];

export interface Import {
  /** Paths below `src`, with `/`. */
  readonly from: string;
  readonly specifier: string;
  readonly kind: 'static' | 'type' | 'late';
}

export interface SourceFile {
  /** Path below the root that was read, with `/`. */
  readonly path: string;
  readonly text: string;
}

const ioModules = /^(?:node:)?(?:fs|net|tls|http|https|http2|dns|dgram|child_process|worker_threads)(?:\/|$)|^undici$/;
const vagueNames = /^(?:utils?|helpers?|common|misc)(?:\.[a-z.]+)?$/;
const maxLines = 300;

/** Every TypeScript file below a directory. None where the directory is absent. */
export async function readSources(root: string): Promise<SourceFile[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'));
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
    found.push({ from: path, specifier, kind: isTypeOnly(clause) ? 'type' : 'static' });
  }
  for (const [, , specifier = ''] of code.matchAll(/\bimport\(\s*(['"`])([^'"`]+)\1\s*\)/g)) {
    found.push({ from: path, specifier, kind: 'late' });
  }
  return found;
}

/** Imports against the table, and what the table does not know: a line each, empty when all is well. */
export function layerViolations(files: readonly SourceFile[], table = layers): string[] {
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  const unknown = [...folders].filter((folder) => !table[folder]).map((folder) => `${folder} is not in the table`);
  return [...unknown, ...files.flatMap((file) => importsOf(file)).flatMap((found) => violation(found, table) ?? [])];
}

/** Cycles between folders, counting everything but types. */
export function folderCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, Set<string>>();
  for (const found of files.flatMap((file) => importsOf(file))) {
    const target = targetOf(found);
    const folder = folderOf(found.from);
    if (target === undefined || found.kind === 'type' || folderOf(target) === folder) continue;
    edges.set(folder, (edges.get(folder) ?? new Set()).add(folderOf(target)));
  }
  const cycles: string[] = [];
  const walk = (folder: string, path: readonly string[]): void => {
    if (path.includes(folder)) {
      // Each cycle is told once, from its smallest member.
      const cycle = path.slice(path.indexOf(folder));
      if ([...cycle].sort()[0] === folder) cycles.push([...cycle, folder].join(' → '));
      return;
    }
    for (const next of edges.get(folder) ?? []) walk(next, [...path, folder]);
  };
  for (const folder of edges.keys()) walk(folder, []);
  return [...new Set(cycles)];
}

/** Files past 300 lines whose first comment does not give a reason. */
export function lengthViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ text }) => lineCount(text) > maxLines && !/\blines?\b|\blong\b/i.test(firstComment(text)))
    .map(({ path, text }) => `${path} has ${lineCount(text)} lines and its first comment does not say why`);
}

/** Files and folders with a name that says nothing. */
export function nameViolations(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => path.split('/').some((part) => vagueNames.test(part))).map(({ path }) => path);
}

/** Reads of the environment outside the folders that may. */
export function environmentViolations(files: readonly SourceFile[], readers = environmentReaders): string[] {
  return files
    .filter(({ path, text }) => !readers.includes(folderOf(path)) && readsEnvironment(withoutComments(text)))
    .map(({ path }) => path);
}

/** I/O modules in `model`. */
export function purityViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => folderOf(path) === 'model')
    .flatMap((file) => importsOf(file))
    .filter(({ specifier, kind }) => kind !== 'type' && ioModules.test(specifier))
    .map(({ from, specifier }) => `${from} imports ${specifier}`);
}

function violation(found: Import, table: Readonly<Record<string, Layer>>): string | undefined {
  const target = targetOf(found);
  if (target === undefined) return undefined;
  const [from, to] = [folderOf(found.from), folderOf(target)];
  const layer = table[from];
  if (!layer || from === to || layer.may === 'all' || layer.may.includes(to) || to === 'version.ts') return undefined;
  if (layer.types?.includes(to) && found.kind === 'type') return undefined;
  if (layer.late?.includes(to) && found.kind !== 'static') return undefined;
  return `${found.from} imports ${target}${found.kind === 'static' ? '' : ` (${found.kind})`}`;
}

/** The path below `src` that an import of ours means; undefined for packages. `..` in front: it leaves `src`. */
function targetOf({ from, specifier }: Import): string | undefined {
  return specifier.startsWith('.') ? posix.join(dirname(from), specifier) : undefined;
}

function folderOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

// `import { type A }` is erased when every name in the braces is a type.
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b(?!\s*(?:,|from\b))/.test(clause)) return true;
  const braces = /^\s*\{([^}]*)\}\s*from$/.exec(clause)?.[1];
  const names = (braces ?? '').split(',').filter((name) => name.trim() !== '');
  return names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

function readsEnvironment(code: string): boolean {
  return /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[\s*['"]env['"]|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](?:node:)?process['"]/.test(
    code,
  );
}

function firstComment(text: string): string {
  return /^\s*(\/\*[\s\S]*?\*\/|(?:\/\/.*\n?)+)/.exec(text.replace(/^#!.*\n/, ''))?.[1] ?? '';
}

function lineCount(text: string): number {
  return text.replace(/\n$/, '').split('\n').length;
}
