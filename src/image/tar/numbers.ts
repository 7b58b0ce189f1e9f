/** Numbers in headers: octal digits, or base 256 where the first bit is set. */

/** Reads a number. @returns Undefined for what is none, or not exact here. */
export function readNumber(block: Buffer, start: number, length: number): number | undefined {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return readBinary(block, start, length);
  const text = block.toString('latin1', start, start + length).replace(/^[ \0]+/, '');
  const end = text.search(/[ \0]/);
  const digits = end < 0 ? text : text.slice(0, end);
  if (digits === '') return 0;
  const value = /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

// Two's complement, whose first bit only says that it is one.
function readBinary(block: Buffer, start: number, length: number): number | undefined {
  const isNegative = ((block[start] ?? 0) & 0x40) !== 0;
  let value = isNegative ? -1n : 0n;
  for (let i = 0; i < length; i += 1) {
    const byte = block[start + i] ?? 0;
    value = (value << 8n) | BigInt(i === 0 ? (isNegative ? byte : byte & 0x7f) : byte);
  }
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Whether octal digits of a field are enough for a number: one byte of it is a zero. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** Writes octal digits, or base 256 where they are not enough. */
export function writeNumber(block: Buffer, start: number, length: number, value: number): void {
  if (fitsOctal(value, length)) {
    block.write(value.toString(8).padStart(length - 1, '0'), start, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let i = length - 1; i >= 0; i -= 1) {
    block[start + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[start] = (block[start] ?? 0) | 0x80;
}

/** Reads the digits of a PAX record. */
export function decimal(text: string): number | undefined {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
