import { isUtf8 } from 'node:buffer';

/**
 * Names in tar archives are bytes, nearly always UTF-8. Here they are strings that lose nothing: a byte that is no UTF-8 is the lone
 * surrogate U+DC80 to U+DCFF, as in Python. So a name is a key of maps, and is still what was stored.
 *
 * @see https://peps.python.org/pep-0383/
 */
const ascii = /^[\0-\x7f]*$/;
const escapes = /[\udc80-\udcff]/u;
const escapedParts = /([\udc80-\udcff]+)/u;
const escapeBase = 0xdc00;

/** The name that bytes are. */
export function nameOf(bytes: Buffer, start = 0, end = bytes.length): string {
  const plain = bytes.toString('latin1', start, end);
  if (ascii.test(plain)) return plain;
  const part = bytes.subarray(start, end);
  return isUtf8(part) ? part.toString() : escaped(part);
}

/** The bytes of a name. */
export function nameBytes(name: string): Buffer {
  if (!escapes.test(name)) return Buffer.from(name);
  const parts = name.split(escapedParts);
  return Buffer.concat(
    parts.map((part, i) =>
      i % 2 === 0 ? Buffer.from(part) : Buffer.from(Array.from(part, (char) => char.charCodeAt(0) - escapeBase)),
    ),
  );
}

/** Whether a name is UTF-8. */
export function isText(name: string): boolean {
  return !escapes.test(name);
}

/** Whether a name has only characters of ASCII. */
export function isAscii(name: string): boolean {
  return ascii.test(name);
}

/** Orders names by their bytes. */
export function compareNames(a: string, b: string): number {
  if (ascii.test(a) && ascii.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(nameBytes(a), nameBytes(b));
}

function escaped(bytes: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const piece = bytes.subarray(at, at + length);
    if (piece.length === length && isUtf8(piece)) {
      parts.push(piece.toString());
      at += length;
    } else {
      parts.push(String.fromCharCode(escapeBase + lead));
      at += 1;
    }
  }
  return parts.join('');
}
