// Which scripts of the command line and the library lie together in a file of dist/main, and how. Each stays a function of its own,
// which runs when it is first asked for: what lies together has no say in what is loaded, nor in which order.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** The package may have two hundred files, and a hundred and thirty of it are others. */
const fileCount = 56;

/** What it costs a start to open a file, and to read what it does not use: milliseconds, and milliseconds for a byte. */
const openMs = 0.2;
const readMs = 1 / 100_000;

/**
 * Node loads such a file as any script. Our own loader (src/packaging/script-loader.ts) compiles each part apart, and keeps its code apart:
 * what is between a line with its name and number, and the next that says `//end`.
 */
const prelude = `//parts
const made={},part=(name,run)=>{exports[name]=()=>{let one=made[name];if(!one){made[name]=one={exports:{}};
try{run(one.exports,require,one,__filename,__dirname)}catch(error){delete made[name];throw error}}return one.exports}};\n`;

/**
 * Joins the scripts of a folder in fewer files.
 *
 * @param firsts The scripts that are loaded first, by the names that their files are to have.
 * @returns The file and the part of it that stand for a script.
 */
export async function joinScripts(folder, firsts) {
  const entries = Object.values(firsts);
  const scripts = new Map();
  for (const name of (await readdir(folder)).sort()) scripts.set(name, await readFile(join(folder, name), 'utf8'));
  // A thread of ours runs a file, not a part of one.
  const joined = [...scripts.keys()].filter((name) => !/(?<!function )\bstartThread\(/.test(scripts.get(name)));
  const places = new Map();
  const nameOf = (group) => {
    const named = Object.keys(firsts).find((name) => group.includes(firsts[name]));
    const largest = (names) => names.toSorted((one, other) => scripts.get(other).length - scripts.get(one).length)[0];
    const title = largest(group.filter((name) => !name.startsWith('chunk-'))) ?? 'shared';
    const base = named ?? basename(title, '.cjs').replace(/-[0-9A-Z]{8}$/, '');
    const isTaken = (name) => [...places.values()].some(({ file }) => file === name);
    let file = `${base}.cjs`;
    for (let count = 2; isTaken(file); count++) file = `${base}-${count}.cjs`;
    return file;
  };
  for (const group of groupScripts(new Map(joined.map((name) => [name, scripts.get(name)])), entries)) {
    const file = nameOf(group);
    for (const [at, name] of group.entries()) places.set(name, { file, part: `$${at}` });
  }
  const files = new Map();
  for (const [name, text] of scripts) {
    const placed = shortNames(text).replace(/\brequire\(\s*"\.\/([^"/]+)"\s*\)/g, (all, target) => {
      const place = places.get(target);
      return place ? `require("./${place.file}").${place.part}()` : all;
    });
    const place = places.get(name);
    if (!place) await writeFile(join(folder, name), placed);
    else files.set(place.file, [...(files.get(place.file) ?? []), { part: place.part, text: placed }]);
  }
  for (const name of joined) await rm(join(folder, name));
  for (const [file, parts] of files) {
    let whole = prelude;
    for (const { part, text } of parts) {
      whole += `part("${part}",\n`;
      whole += `//part ${part} ${whole.split('\n').length + 1}\n(function(exports,require,module,__filename,__dirname){${text}\n})\n//end\n);\n`;
    }
    await writeFile(join(folder, file), whole);
  }
  return (name) => places.get(name);
}

/** Every script names each other one that it loads after a hash; a number does. */
function shortNames(text) {
  const names = [...text.matchAll(/\b(c[0-9A-Z]{8})=require\(/g)].map(([, name]) => name);
  return text.replace(/\bc[0-9A-Z]{8}\b/g, (name) => (names.includes(name) ? `c$${names.indexOf(name)}` : name));
}

/**
 * Scripts that the same entries load lie together. Then those files are joined by which a start loses least: the time to read what it has no
 * use for, less that to open another file.
 *
 * @param scripts Their texts by their names.
 * @returns Names.
 */
export function groupScripts(scripts, entries) {
  const [now, later] = [new Map(), new Map()];
  for (const [name, text] of scripts) {
    now.set(name, []);
    later.set(name, []);
    for (const [, late, target] of text.matchAll(/(=>\s*)?\brequire\(\s*"\.\/([^"/]+)"\s*\)/g)) {
      if (scripts.has(target)) (late ? later : now).get(name).push(target);
    }
  }
  const loaded = (name, seen = new Set()) => {
    if (seen.has(name)) return seen;
    seen.add(name);
    for (const next of now.get(name)) loaded(next, seen);
    return seen;
  };
  const starts = [...new Set([...entries, ...[...later.values()].flat()])].map((name) => loaded(name));
  const atStart = loaded(entries[0]);
  const groups = new Map();
  for (const [name, text] of scripts) {
    // Whatever is loaded later, this has been.
    const users = starts.flatMap((files, at) =>
      files.has(name) && (at < entries.length || !atStart.has(name)) ? [at] : [],
    );
    const group = groups.get(String(users)) ?? {
      names: [],
      users: new Set(users),
      bytes: 0,
      isStart: atStart.has(name),
    };
    group.names.push(name);
    group.bytes += text.length;
    groups.set(String(users), group);
  }
  const left = [...groups.values()];
  const isNear = (one, other) => one.names.some((name) => later.get(name).some((next) => other.names.includes(next)));
  const lossOf = (one, other) => {
    let loss = isNear(one, other) || isNear(other, one) ? -openMs / 4 : 0;
    for (const user of one.users) loss += other.users.has(user) ? -openMs : other.bytes * readMs;
    for (const user of other.users) if (!one.users.has(user)) loss += one.bytes * readMs;
    return loss;
  };
  const losses = new Map();
  const pairs = (one) => left.filter((other) => other !== one && one.isStart === other.isStart);
  for (const one of left) losses.set(one, new Map(pairs(one).map((other) => [other, lossOf(one, other)])));
  for (;;) {
    let best = { loss: Number.POSITIVE_INFINITY };
    for (const [one, others] of losses)
      for (const [other, loss] of others) if (loss < best.loss) best = { one, other, loss };
    if (!best.one || (best.loss >= 0 && left.length <= fileCount)) break;
    const { one, other } = best;
    one.names.push(...other.names);
    one.bytes += other.bytes;
    for (const user of other.users) one.users.add(user);
    left.splice(left.indexOf(other), 1);
    losses.delete(other);
    for (const [each, others] of losses) {
      others.delete(other);
      if (each === one || each.isStart !== one.isStart) continue;
      const loss = lossOf(one, each);
      others.set(one, loss);
      losses.get(one).set(each, loss);
    }
  }
  return left.map(({ names }) => names);
}
