/**
 * Reads an IPv6 address of hexadecimal digits and colons. As in references, a zone and a dotted IPv4 tail are not allowed.
 *
 * @returns Its eight groups in lowercase hexadecimal without leading zeros; undefined if the text is not an address.
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.2
 */
export function parseIpv6(text: string): readonly string[] | undefined {
  // The longest spelling has eight groups of four digits and seven colons.
  if (text.length > 39 || !/^[0-9a-fA-F:]*$/.test(text)) return undefined;
  const gap = text.indexOf('::');
  const head = groupsOf(gap === -1 ? text : text.slice(0, gap));
  const tail = gap === -1 ? [] : groupsOf(text.slice(gap + 2));
  if (![...head, ...tail].every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined;
  const zeros = 8 - head.length - tail.length;
  if (gap === -1 ? zeros !== 0 : zeros < 1) return undefined;
  return [...head, ...Array.from({ length: zeros }, () => '0'), ...tail].map((group) => group.replace(/^0+(?=.)/, ''));
}

/** Writes eight groups in the short form. @see https://www.rfc-editor.org/rfc/rfc5952#section-4 */
export function formatIpv6(groups: readonly string[]): string {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.toLowerCase().split(':');
}
