// Which of our modules lie together in a file of dist/. A file costs a start a fifth of a millisecond, whatever is in it, and code
// that is not used a millisecond for 100 KB.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** Of a module that several need, and of one that a command loads late. */
const smallBytes = 2500;
const tinyBytes = 1800;

/**
 * esbuild makes a file of each set of modules that the same entries share, which would be thirty of a few lines for one command.
 * So every module that is loaded late imports all that the command line has loaded by then, with what several commands share;
 * and those that reach a registry, the local store or the copy engine, all that is needed for that. The library loads at once what it has
 * in common with the start of the command line, and nothing else of the command line, late or not.
 *
 * @param root The folder of our modules.
 * @param library Its entries.
 */
export function fewFiles(root, library) {
  return {
    name: 'few-files',
    async setup(builder) {
      const { late, reachedBy, reachedEverBy, usesPackage, sizeOf } = await readModules(root);
      const cli = join(root, 'program', 'cli.ts');
      const service = join(root, 'service', 'service.ts');
      const ofStore = reachedBy(join(root, 'app', 'local-store.ts'));
      // What registries and the store both need is loaded at the start, so that neither loads the other.
      const both = [...reachedBy(service)].filter((file) => ofStore.has(file) && !usesPackage(file));
      const start = new Set([...reachedBy(cli), ...both]);
      const traffic = new Set([...reachedBy(service)].filter((file) => !start.has(file)));
      const commands = [...late].filter((file) => dirname(file) === join(root, 'commands')).map(reachedBy);
      const common = [...new Set(commands.flatMap((files) => [...files]))].filter(
        (file) => commands.filter((files) => files.has(file)).length > 1 && !traffic.has(file) && !usesPackage(file),
      );
      const apart = ['storage', 'transfer'].map((folder) => {
        const isOf = (file) => !start.has(file) && relative(root, file).startsWith(`${folder}${sep}`);
        return common.filter((file) => [...reachedBy(file)].some(isOf));
      });
      const shared = common.filter((file) => !apart.some((files) => files.includes(file)));
      // A few lines that several need are not worth a file either.
      const withStart = new Set([...start, ...shared]);
      const reachOfLate = [...late].map(reachedBy);
      const isSmall = (file) => sizeOf(file) < smallBytes && !traffic.has(file) && !usesPackage(file);
      const few = [...new Set(reachOfLate.flatMap((files) => [...files]))].filter(
        (file) =>
          !withStart.has(file) &&
          (late.has(file) ? sizeOf(file) < tinyBytes : reachOfLate.filter((files) => files.has(file)).length > 1) &&
          [...reachedBy(file)].every((one) => withStart.has(one) || isSmall(one)),
      );
      const ofLibrary = reachedEverBy(library);
      const atStart = [...start, ...both, ...shared, ...few].filter((file) => ofLibrary.has(file));
      const along = (file) => {
        if (file === cli) return [...both, ...shared, ...few];
        if (file === library[0]) return atStart;
        if (!late.has(file)) return [];
        const reaches = (files) => [...reachedBy(file)].some((reached) => files.has(reached));
        const needed = [
          ...(reaches(traffic) ? [service] : []),
          ...apart.filter((files) => reaches(new Set(files))).flat(),
        ];
        return ofLibrary.has(file) ? [...atStart, ...needed.filter((one) => ofLibrary.has(one))] : [cli, ...needed];
      };
      builder.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
        const imports = along(path).map((file) => `import ${JSON.stringify(file)};`);
        return { contents: `${imports.join(' ')}\n${await readFile(path, 'utf8')}`, loader: 'ts' };
      });
    },
  };
}

/** Who imports whom. */
async function readModules(root) {
  const late = new Set();
  const imports = new Map();
  const lateOf = new Map();
  const withPackage = new Set();
  const sizes = new Map();
  for (const name of await readdir(root, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const file = join(root, name);
    const text = await readFile(file, 'utf8');
    lateOf.set(
      file,
      [...text.matchAll(/import\('(\.[^']+)'\)/g)].map(([, target]) => resolve(dirname(file), target)),
    );
    for (const target of lateOf.get(file)) late.add(target);
    const targets = [...text.matchAll(/^(?:import|export) (?!type )(?:[^;]* from )?'([^']+)';/gm)].map(
      ([, target]) => target,
    );
    sizes.set(file, text.length);
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
  const reachedEverBy = (files, seen = new Set()) => {
    for (const file of files) {
      if (seen.has(file)) continue;
      seen.add(file);
      reachedEverBy([...(imports.get(file) ?? []), ...(lateOf.get(file) ?? [])], seen);
    }
    return seen;
  };
  return {
    late,
    reachedBy: (file) => reachedBy(file),
    reachedEverBy: (files) => reachedEverBy(files),
    sizeOf: (file) => sizes.get(file),
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
