/** How many columns of a terminal a text takes: CJK and emoji take two, combining marks none. */
type WidthOf = (text: string) => number;

/** Nearly all texts are of this kind, and need nothing loaded. */
const plain = /^[\x20-\x7e]*$/;

/** Counts columns of these texts, and of what is cut from them. Loads what knows the widths only where one needs it. */
export async function widthFor(texts: Iterable<string>): Promise<WidthOf> {
  for (const text of texts) {
    if (plain.test(text)) continue;
    const { default: stringWidth } = await import('string-width');
    return (part) => (plain.test(part) ? part.length : stringWidth(part));
  }
  return (part) => part.length;
}

/** As much of a text as fits, with `…` where something was left out. */
export function fitting(text: string, columns: number, width: WidthOf): string {
  if (width(text) <= columns) return text;
  let fits = '';
  let taken = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    taken += width(segment);
    if (taken > columns - 1) break;
    fits += segment;
  }
  return `${fits}…`;
}

/** Breaks a text between words into lines of at most so many columns. A word that is wider has a line to itself. */
export function wrapped(text: string, columns: number, width: WidthOf): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && width(longer) > columns) lines.push(word);
    else lines[Math.max(0, lines.length - 1)] = longer;
  }
  return lines;
}
