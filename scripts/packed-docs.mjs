// The documents of the published package, which lacks some of the files that they link to.
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Rewrites every document in a folder so that all its links lead to files of the folder. */
export async function fitDocuments(folder) {
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.md')) continue;
    const file = join(folder, name);
    const isThere = (target) => {
      const path = join(dirname(file), target.split('#', 1)[0]);
      return /^(?:https?|mailto):|^#/.test(target) || (!relative(folder, path).startsWith('..') && existsSync(path));
    };
    await writeFile(file, withoutLost(await readFile(file, 'utf8'), isThere));
  }
}

/**
 * A document without what would lead nowhere: images with the remark in brackets below them, rows of a table that consist of
 * lost links, and other lost links, whose text stays. Code is left as it is.
 *
 * @param isThere Whether the target of a link exists.
 */
export function withoutLost(markdown, isThere) {
  const link = /(?<!!)\[([^\]\n]+)\]\(([^)\s]+)\)/g;
  return markdown
    .split(/^(```.*?^```$)/ms)
    .map((part, at) =>
      at % 2 === 1
        ? part
        : part
            .replace(/^!\[[^\]]*\]\(([^)\s]+)\)\n+(?:\([^\n]*\)\n+)?/gm, (all, target) => (isThere(target) ? all : ''))
            .replace(/^\|.*\|\n/gm, (row) => {
              const targets = [...row.matchAll(link)].map(([, , target]) => target);
              return targets.length > 0 && !targets.some(isThere) ? '' : row;
            })
            .replace(link, (all, text, target) => (isThere(target) ? all : text)),
    )
    .join('');
}
