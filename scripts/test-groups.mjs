// Which test files share a process: to start Node and load the same modules for each of them costs more than most of them do.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Few, for what runs at once to end at about one time. */
const mostFiles = 8;
/** What a file does to its whole process, or measures of it. */
const alone =
  /\bmock\.|umask|processorMs|process\.on\(|process\.env\[?[^;=]* = |setCertsDir|memoryUsage|registerManifest|expectWaits|LinearTime/;

/**
 * Files of one folder together, each as if it were alone; those that change their process are.
 *
 * @param files Compiled tests, by path from the root.
 * @param folder Where the files are put that import them; what lies there is removed.
 * @returns What to run in their place.
 */
export function groupTests(files, root, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const [single, groups] = [[], new Map()];
  for (const file of files) {
    // .build/test/<folder>/…
    const [, , name] = file.split(sep);
    if (alone.test(readFileSync(join(root, file), 'utf8'))) single.push(file);
    else groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  const made = [...groups].flatMap(([name, members]) => {
    const count = Math.ceil(members.length / mostFiles);
    return Array.from({ length: count }, (_, at) => {
      const path = join(folder, `${name.replace(/\.test\.js$/, '')}-${at + 1}.test.js`);
      // Every so many-th: neighbours are alike, and the slow ones lie together.
      const own = members.filter((_, nth) => nth % count === at);
      const lines = own.map((file) => `import ${JSON.stringify(relative(dirname(path), join(root, file)))};\n`);
      writeFileSync(path, lines.join(''));
      return relative(root, path);
    });
  });
  // Those alone first: the longest are among them.
  return [...single, ...made];
}
