/** Tar archives, entry by entry, also such as no program writes. */

/** One entry: a file, unless `flag` says otherwise. */
export interface RawEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** The type in the header. Default `0`. */
  readonly flag?: string;
  readonly linkName?: string;
  /** What the header says; default the size of the content. A text is written as it is. */
  readonly size?: number | string;
  /** Records of a PAX header before the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Default 644. */
  readonly mode?: number;
  /** Default ustar. */
  readonly magic?: string;
}

const blockBytes = 512;

/** The end of an archive. */
export const tarEnd: Uint8Array = new Uint8Array(2 * blockBytes);

/** A whole archive. */
export function tarOf(entries: readonly RawEntry[], end: Uint8Array = tarEnd): Buffer {
  return Buffer.concat([...entries.map(entryBytes), end]);
}

/** A symbolic link. */
export function symlinkTo(name: string, linkName: string): RawEntry {
  return { name, linkName, flag: '2' };
}

export function entryBytes({ pax, ...entry }: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const padding = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  const before = pax === undefined ? [] : [entryBytes({ name: 'pax', flag: 'x', content: records(pax) })];
  return Buffer.concat([...before, header(entry, content.length), content, padding]);
}

function header(
  { name, flag = '0', linkName = '', size, mode = 0o644, magic = 'ustar\x0000' }: RawEntry,
  length: number,
): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  block.write(name, 0, 100);
  block.write(`${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 100);
  block.write(typeof size === 'string' ? size : octal(size ?? length, 11), 124, 12, 'latin1');
  block.write(octal(0, 11), 136);
  block.write('        ', 148);
  block.write(flag, 156);
  block.write(linkName, 157, 100);
  block.write(magic, 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function records(pax: Readonly<Record<string, string>>): string {
  return Object.entries(pax)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = rest.length + 1;
      while (`${length}${rest}`.length !== length) length += 1;
      return `${length}${rest}`;
    })
    .join('');
}
