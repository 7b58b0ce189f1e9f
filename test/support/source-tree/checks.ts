import { dirname } from 'node:path';
import { folderOf, importsOf, lineCount, type SourceFile, targetOf } from './reading.ts';

const properNames = /^(?:Docker|Node|Linux|Windows)\b/;
const ioModules = /^(?:node:)?(?:fs|net|tls|http|https|http2|dns|dgram|child_process|worker_threads)(?:\/|$)|^undici$/;
const vagueNames = /^(?:utils?|helpers?|common|misc)(?:\.[a-z.]+)?$/;
const maxLines = 300;
const maxFiles = 25;

/** The modules that users of the package import. Only they may lie directly in `src`, and their exports count as used. */
export const publicModules: readonly string[] = ['index.ts', 'server.ts', 'storage.ts', 'docker.ts'];

/** Cycles between folders, by all imports except those of types. */
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
      // Report each cycle once, from its smallest member.
      const cycle = path.slice(path.indexOf(folder));
      if ([...cycle].sort()[0] === folder) cycles.push([...cycle, folder].join(' → '));
      return;
    }
    for (const next of edges.get(folder) ?? []) walk(next, [...path, folder]);
  };
  for (const folder of edges.keys()) walk(folder, []);
  return [...new Set(cycles)];
}

/**
 * Cycles between files: sets of files that all reach each other, sorted, once. Imports of types count, since reading
 * one file then requires reading the other. An `import()` does not count: the table of commands loads each command that
 * way, and a command may use the table.
 */
export function fileCycles(files: readonly SourceFile[]): string[][] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      importsOf(file).flatMap((found) => (found.kind === 'late' ? [] : (targetOf(found) ?? []))),
    ]),
  );
  const reached = new Map(files.map(({ path }) => [path, reachedFrom(path, edges)]));
  const told = new Set<string>();
  return [...reached.keys()].sort().flatMap((path) => {
    if (told.has(path) || !reached.get(path)?.has(path)) return [];
    const circle = [...(reached.get(path) ?? [])].filter((other) => reached.get(other)?.has(path)).sort();
    for (const member of circle) told.add(member);
    return [circle];
  });
}

/** Files with more than 300 lines whose first comment does not give a reason. */
export function lengthViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ text }) => lineCount(text) > maxLines && !/\blines?\b|\blong\b/i.test(firstComment(text)))
    .map(({ path, text }) => `${path} has ${lineCount(text)} lines and its first comment does not say why`);
}

/** Files and folders with vague names. */
export function nameViolations(files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => path.split('/').some((part) => vagueNames.test(part))).map(({ path }) => path);
}

/** I/O modules in `model`. */
export function purityViolations(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => folderOf(path) === 'model')
    .flatMap((file) => importsOf(file))
    .filter(({ specifier, kind }) => kind !== 'type' && ioModules.test(specifier))
    .map(({ from, specifier }) => `${from} imports ${specifier}`);
}

/** Hints that begin with a capital letter or end with a full stop: they follow `hint: ` and other clauses. */
export function hintViolations(files: readonly SourceFile[]): string[] {
  const named = /\bhint(?::| =)\s*(?:[^'"`;{}()]*\? ?)?(['"`])(?<hint>(?:(?!\1).)*)\1/gs;
  const third = /\bconfigError\(\s*[^,]+,\s*[^;]*?,\s*(['"`])(?<hint>(?:(?!\1).)*)\1,?\s*\)/gs;
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(named), ...text.matchAll(third)]
      .map(({ groups }) => groups?.['hint'] ?? '')
      .filter((hint) => (/^[A-Z](?!\w*[A-Z])/.test(hint) && !properNames.test(hint)) || /[^.]\.$/.test(hint))
      .map((hint) => `${path}: ${hint}`),
  );
}

/** Files directly in `src` that are neither public modules nor for every folder. */
export function strayFiles(files: readonly SourceFile[]): string[] {
  const allowed = [...publicModules, 'version.ts'];
  return files.map(({ path }) => path).filter((path) => !path.includes('/') && !allowed.includes(path));
}

/**
 * Folders with more than 25 files of their own.
 *
 * @param commands Names of commands. Their files in `commands` do not count: there is one for each command, however
 * many there are.
 */
export function crowdedFolders(files: readonly SourceFile[], commands: readonly string[] = []): string[] {
  const exempt = new Set(commands.map((name) => `commands/${name}.ts`));
  const counts = new Map<string, number>();
  for (const { path } of files) {
    if (!exempt.has(path)) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > maxFiles).map(([folder, count]) => `${folder} has ${count} files`);
}

/** The median length: half of the files are at most this long. */
export function medianLines(files: readonly SourceFile[]): number {
  const counts = files.map(({ text }) => lineCount(text)).sort((a, b) => a - b);
  return counts[Math.ceil(counts.length / 2) - 1] ?? 0;
}

/** The files that imports lead to, in one step or more. */
function reachedFrom(path: string, edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [...(edges.get(path) ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(edges.get(next) ?? []));
  }
  return seen;
}

function firstComment(text: string): string {
  return /^\s*(\/\*[\s\S]*?\*\/|(?:\/\/.*\n?)+)/.exec(text.replace(/^#!.*\n/, ''))?.[1] ?? '';
}
