import { basename } from 'node:path';
import { publicModules } from './checks.ts';
import { exportsOf, type Import, importsOf, type SourceFile, targetOf } from './reading.ts';

/**
 * Exports that no other file imports, as `path: name`. Whatever a public module exports again counts as used.
 *
 * @param src With paths below `src`.
 * @param users Files of folders beside `src`, with paths below their own folder.
 */
export function unusedExports(src: readonly SourceFile[], users: readonly SourceFile[]): string[] {
  const used = usedNames(src, users);
  return src.flatMap((file) =>
    exportsOf(file)
      .names.filter((name) => !used(file.path, name))
      .map((name) => `${file.path}: ${name}`),
  );
}

/** Exports that only tests import. What only a test can see is not what the program does. */
export function testOnlyExports(
  src: readonly SourceFile[],
  tests: readonly SourceFile[],
  others: readonly SourceFile[],
): string[] {
  const unused = new Set(unusedExports(src, [...tests, ...others]));
  return unusedExports(src, others).filter((found) => !unused.has(found));
}

function usedNames(src: readonly SourceFile[], users: readonly SourceFile[]): (path: string, name: string) => boolean {
  const exported = new Map(src.map((file) => [file.path, exportsOf(file)]));
  const used = new Set<string>();
  const use = (path: string, name: string): void => {
    const key = `${path}: ${name}`;
    if (used.has(key)) return;
    used.add(key);
    const { names, passedOn } = exported.get(path) ?? { names: [], passedOn: [] };
    if (names.includes(name)) return;
    // What a file does not export itself comes from the files that it exports again.
    for (const specifier of passedOn) use(targetOf({ from: path, specifier }) ?? specifier, name);
  };
  for (const found of [...src, ...users].flatMap((file) => importsOf(file))) {
    for (const target of filesMeant(found, src)) for (const name of found.names) use(target, name);
  }
  for (const path of publicModules) use(path, '*');
  return (path, name) => used.has(`${path}: ${name}`) || used.has(`${path}: *`);
}

/** A folder beside `src` imports it as `../src`; `bin` imports the build, which has the entries of all folders in one. */
function filesMeant(found: Import, src: readonly SourceFile[]): readonly string[] {
  const target = targetOf(found);
  const [, built] = /^\.\.\/dist\/(.+)\.c?js$/.exec(target ?? '') ?? [];
  if (built !== undefined) return src.map(({ path }) => path).filter((path) => basename(path) === `${built}.ts`);
  return target === undefined ? [] : [target.replace(/^\.\.\/src\//, '')];
}
