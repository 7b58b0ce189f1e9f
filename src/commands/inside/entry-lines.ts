/** How files of an image are shown. */
import type { LayerEntry } from '../../image/layers/layer-entry.ts';
import { isText, nameBytes } from '../../image/tar/names.ts';
import type { TreeNode } from '../../image/tree/node.ts';
import { metadata, opaque, whiteout } from '../../image/tree/whiteouts.ts';
import { visible } from '../../model/quote.ts';
import type { Terminal } from '../../terminal/terminal.ts';

type ShownType = LayerEntry['type'] | 'whiteout' | 'opaque';

const letters: Readonly<Record<ShownType, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  link: 'h',
  character: 'c',
  block: 'b',
  fifo: 'p',
  global: '?',
  unknown: '?',
  // As in BSD.
  whiteout: 'w',
  opaque: 'w',
};

/** Only the tree of a layer by itself has whiteouts. */
function shownType({ name, inode }: TreeNode): ShownType {
  if (name === opaque) return 'opaque';
  return name.startsWith(whiteout) && !name.startsWith(metadata) ? 'whiteout' : inode.entry.type;
}

/** A name for a line: what could control a terminal is escaped, and bytes that are no UTF-8 are `\xff`. */
export function shownName(name: string): string {
  return visible(name).replace(/[\udc80-\udcff]/gu, (byte) => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`);
}

/** RFC 3339, with as many digits as the time has. */
function shownTime({ seconds, nanoseconds }: LayerEntry['mtime']): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(seconds);
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '');
  return date.toISOString().replace('.000Z', fraction === '' ? 'Z' : `.${fraction}Z`);
}

/** A line as that of `ls -l`. */
export function longLine(path: string, node: TreeNode): string {
  const { inode } = node;
  const type = shownType(node);
  const { mode, uid, gid, size, mtime, linkname, devmajor, devminor } = inode.entry;
  const isDevice = type === 'character' || type === 'block';
  const amount = isDevice ? `${devmajor},${devminor}` : String(size);
  const target = linkname === '' ? '' : ` -> ${shownName(linkname)}`;
  const owner = `${uid}:${gid}`.padEnd(11);
  return `${letters[type]}${shownMode(mode)} ${owner} ${amount.padStart(10)} ${shownTime(mtime)} ${shownName(path)}${target}`;
}

function shownMode(mode: number): string {
  const bits = ['r', 'w', 'x', 'r', 'w', 'x', 'r', 'w', 'x'].map((bit, i) => (mode & (0o400 >> i) ? bit : '-'));
  const special = (at: number, bit: number, letter: string): void => {
    if (mode & bit) bits[at] = bits[at] === 'x' ? letter : letter.toUpperCase();
  };
  special(2, 0o4000, 's');
  special(5, 0o2000, 's');
  special(8, 0o1000, 't');
  return bits.join('');
}

/** What `--json` prints of a file. */
export function entryRecord(path: string, node: TreeNode): object {
  const { inode, layer, implied } = node;
  const type = shownType(node);
  const { mode, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs } = inode.entry;
  const isDevice = type === 'character' || type === 'block';
  return {
    ...named('path', path),
    type,
    mode: `0${mode.toString(8).padStart(3, '0')}`,
    uid,
    gid,
    mtime: shownTime(mtime),
    size,
    ...(linkname !== '' && named('linkname', linkname)),
    ...(isDevice && { devmajor, devminor }),
    ...(xattrs.size > 0 && {
      xattrs: Object.fromEntries([...xattrs].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')])),
    }),
    layer: layer + 1,
    ...(implied && { implied }),
  };
}

/** A field for a name: in base64 and under another key where it is no UTF-8. */
export function named(key: string, name: string): object {
  return isText(name) ? { [key]: name } : { [`${key}Base64`]: nameBytes(name).toString('base64') };
}

const batchCharacters = 64 * 1024;

/** Prints lines, many at once: a write for each would take most of the time. */
export async function printLines(terminal: Terminal, lines: Iterable<string>): Promise<void> {
  let batch: string[] = [];
  let size = 0;
  for (const line of lines) {
    batch.push(line, '\n');
    size += line.length + 1;
    if (size < batchCharacters) continue;
    await terminal.out(batch.join(''));
    if (terminal.outClosed) return;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) await terminal.out(batch.join(''));
}
