/** Suggestions for unknown commands and options. */

/** Commands of docker, skopeo, crane, regctl and podman, and what to use in ocictl. */
const commands: Readonly<Record<string, string>> = {
  build: 'ocictl does not build images, it only moves them',
  cp: 'did you mean copy?',
  export: 'ocictl copy NAME oci:DIR writes an image into a directory',
  'garbage-collect': "ocictl storage gc --root DIR frees space in a registry's directory",
  gc: "ocictl prune frees space in the local store, ocictl storage gc in a registry's directory",
  history: 'ocictl inspect shows the line that made each layer',
  image: 'did you mean images, rmi or prune?',
  import: 'ocictl copy oci:DIR store:NAME takes an image from a directory',
  info: 'ocictl version shows versions and where the store is',
  list: 'ocictl images lists the local store, ocictl tags a repository',
  'list-tags': 'did you mean tags?',
  load: 'ocictl copy oci:DIR store:NAME takes an image from a directory',
  ls: 'ocictl images lists the local store, ocictl tags a repository',
  manifest: 'ocictl inspect --raw prints the manifest',
  registry: 'did you mean serve?',
  remove: 'ocictl rmi removes from the local store, ocictl delete from a registry',
  rm: 'ocictl rmi removes from the local store, ocictl delete from a registry',
  run: 'ocictl does not run images, it only moves them',
  save: 'ocictl copy NAME oci:DIR writes an image into a directory',
  system: 'ocictl prune removes what nothing in the local store refers to',
  sync: 'did you mean copy? It copies one image after the other',
};

const insecure = '--insecure-registry HOST lets that host use plain http or any certificate';
const platform = 'did you mean --platform OS/ARCH?';

/** Options of those programs. */
const options: Readonly<Record<string, string>> = {
  '--arch': platform,
  '--authfile': '--config DIR or $DOCKER_CONFIG names the directory of config.json',
  '--creds': 'ocictl login stores credentials; in a script with --password-stdin',
  '--debug': 'did you mean --verbose?',
  '--dest-tls-verify': insecure,
  '--insecure': insecure,
  '--multi-arch': 'an index is copied whole, unless --platform chooses',
  '--no-creds': 'did you mean --anonymous?',
  '--os': platform,
  '--override-arch': platform,
  '--override-os': platform,
  '--password': 'with --password-stdin, nobody else can see it',
  '--plain-http': insecure,
  '--src-tls-verify': insecure,
  '--tls-verify': insecure,
};

/** A hint for an unknown command. @param known The names of all commands. */
export function suggestCommand(word: string, known: readonly string[]): string | undefined {
  const synonym = Object.hasOwn(commands, word) ? commands[word] : undefined;
  return synonym ?? didYouMean(nearest(word, known));
}

/** A hint for an unknown option, written with or without `=value`. @param known The options of the command. */
export function suggestOption(word: string, known: readonly string[]): string | undefined {
  const bare = word.split('=', 1)[0] ?? '';
  if (!bare.startsWith('--')) return undefined;
  if (known.includes(bare)) return `${bare} takes no value`;
  const near = nearest(
    bare.slice(2),
    known.map((option) => option.slice(2)),
  );
  const synonym = Object.hasOwn(options, bare) ? options[bare] : undefined;
  return synonym ?? didYouMean(near === undefined ? undefined : `--${near}`);
}

/** Longer words are not typing mistakes, and comparing takes time proportional to the product of the lengths. */
const longestWord = 64;

/**
 * The closest of some words: the only one that begins with the word, otherwise one that differs by a few typing
 * mistakes, fewer for a short word.
 */
function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > longestWord) return undefined;
  const [longer, another] = word.length >= 3 ? known.filter((one) => one.startsWith(word)) : [];
  if (longer !== undefined && another === undefined) return longer;
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const ranked = known.map((one) => ({ one, distance: distanceOf(word, one) })).sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && word.length >= 2 && best.distance <= allowed ? best.one : undefined;
}

/** The number of letters to add, remove, change or swap with their neighbours. */
function distanceOf(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : changed;
      row.push(Math.min(changed, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}

function didYouMean(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `did you mean ${word}?`;
}
