// Which of our modules lie together in a file of dist/. A file costs a start half a millisecond, whatever is in it.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/**
 * esbuild makes a file of each set of modules that the same entries share, which would be thirty of a few lines for one command.
 * So every module that is loaded late imports all that the command line has loaded by then, with what several commands share;
 * and those that reach a registry, all that is needed for that.
 *
 * @param root The folder of our modules.
 */
export function fewFiles(root) {
  return {
    name: 'few-files',
    async setup(builder) {
      const { late, reachedBy, usesPackage } = await readModules(root);
      const cli = join(root, 'program', 'cli.ts');
      const entries = [join(root, 'service', 'service.ts')];
      const start = reachedBy(cli);
      const traffic = new Set(entries.flatMap((entry) => [...reachedBy(entry)]).filter((file) => !start.has(file)));
      const commands = [...late].filter((file) => dirname(file) === join(root, 'commands')).map(reachedBy);
      const shared = [...new Set(commands.flatMap((files) => [...files]))].filter(
        (file) => commands.filter((files) => files.has(file)).length > 1 && !traffic.has(file) && !usesPackage(file),
      );
      const along = (file) => {
        if (file === cli) return shared;
        if (!late.has(file)) return [];
        return [cli, ...([...reachedBy(file)].some((reached) => traffic.has(reached)) ? entries : [])];
      };
      builder.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
        const imports = along(path).map((file) => `import ${JSON.stringify(file)};`);
        return { contents: `${imports.join(' ')}\n${await readFile(path, 'utf8')}`, loader: 'ts' };
      });
    },
  };
}

/**
 * The same for the library: what is loaded late imports all entries, which have been loaded by then.
 *
 * @param entries Paths of the entries.
 */
export function besideLibrary(root, entries) {
  return {
    name: 'beside-library',
    async setup(builder) {
      const { late } = await readModules(root);
      const imports = entries.map((entry) => `import ${JSON.stringify(entry)};`).join(' ');
      builder.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) =>
        late.has(path) ? { contents: `${imports}\n${await readFile(path, 'utf8')}`, loader: 'ts' } : undefined,
      );
    },
  };
}

/** Who imports whom. */
async function readModules(root) {
  const late = new Set();
  const imports = new Map();
  const withPackage = new Set();
  for (const name of await readdir(root, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const file = join(root, name);
    const text = await readFile(file, 'utf8');
    for (const [, target] of text.matchAll(/import\('(\.[^']+)'\)/g)) late.add(resolve(dirname(file), target));
    const targets = [...text.matchAll(/^(?:import|export) (?!type )(?:[^;]* from )?'([^']+)';/gm)].map(
      ([, target]) => target,
    );
    imports.set(
      file,
      targets.filter((target) => target.startsWith('.')).map((target) => resolve(dirname(file), target)),
    );
    if (targets.some((target) => !/^(?:\.|node:)/.test(target))) withPackage.add(file);
  }
  const reachedBy = (file, seen = new Set()) => {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const next of imports.get(file) ?? []) reachedBy(next, seen);
    return seen;
  };
  return {
    late,
    reachedBy: (file) => reachedBy(file),
    usesPackage: (file) => [...reachedBy(file)].some((x) => withPackage.has(x)),
  };
}

const stub =
  /^(?:const require[^\n]*\n)?import\s*\{([^{}]*)\}\s*from\s*"\.\/([^"]+)";\s*(?:import\s*"[^"]+";\s*)*export\s*\{([^{}]*)\};\s*$/;

/**
 * esbuild makes a file of every module that is imported late, also where all that is in it is the way to another file. Whoever
 * imports such a one gets the other instead.
 *
 * @returns The file that stands for a name.
 */
export async function dropStubs(folder) {
  const texts = new Map();
  for (const name of await readdir(folder)) texts.set(name, await readFile(join(folder, name), 'utf8'));
  const places = new Map();
  for (const [name, text] of texts) {
    const [, taken, place, given] = stub.exec(text) ?? [];
    if (place !== undefined && taken === given && !taken.includes(' as ')) places.set(name, place);
  }
  for (const [name, text] of texts) {
    if (places.has(name)) await rm(join(folder, name));
    else
      await writeFile(
        join(folder, name),
        text.replace(/"\.\/([^"]+\.js)"/g, (all, to) => (places.has(to) ? `"./${places.get(to)}"` : all)),
      );
  }
  return (name) => places.get(name) ?? name;
}
