/**
 * The encoding of certificates and timestamps (DER), as far as they need it.
 *
 * @see https://www.itu.int/rec/T-REC-X.690
 */
import { InvalidSignature } from '../formats/invalid.ts';

/** A value with its tag. Tags of more than one byte are not read: nothing here has them. */
export interface Der {
  readonly tag: number;
  /** With tag and length. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
  /** Of a constructed value. */
  readonly children: readonly Der[];
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const constructed = 0x20;
/** Certificates have ten levels. */
const maxDepth = 32;
const maxValues = 10_000;

/** One value that takes all bytes, in the one encoding that DER allows. @throws InvalidSignature */
export function readDer(bytes: Uint8Array): Der {
  const [value, another] = new Reader().values(bytes, 0);
  if (!value || another) throw malformed();
  return value;
}

class Reader {
  #count = 0;

  values(bytes: Uint8Array, depth: number): readonly Der[] {
    if (depth > maxDepth) throw new InvalidSignature('it is nested too deep');
    const found: Der[] = [];
    for (let at = 0; at < bytes.length; ) {
      this.#count += 1;
      if (this.#count > maxValues) throw new InvalidSignature('it has too many parts');
      const { tag, start, end } = header(bytes, at);
      const content = bytes.subarray(start, end);
      const children = (tag & constructed) === 0 ? [] : this.values(content, depth + 1);
      found.push({ tag, whole: bytes.subarray(at, end), content, children });
      at = end;
    }
    return found;
  }
}

function header(bytes: Uint8Array, at: number): { readonly tag: number; readonly start: number; readonly end: number } {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  if ((tag & 0x1f) === 0x1f || tag === 0 || first === undefined || first === 0x80) throw malformed();
  let [start, length] = [at + 2, first];
  if (first > 0x80) {
    const count = first - 0x80;
    if (count > 3) throw malformed();
    length = 0;
    for (let one = 0; one < count; one += 1) length = length * 256 + (bytes[start + one] ?? 0);
    start += count;
    if (length < 0x80 || length < 256 ** (count - 1)) throw malformed();
  }
  if (start + length > bytes.length) throw malformed();
  return { tag, start, end: start + length };
}

/**
 * Refuses bytes in which values are nested deep, also inside octet strings, into which the parser of @sigstore/core looks, and
 * for which it takes time that grows with size and depth.
 */
export function refuseDeepNesting(bytes: Uint8Array): void {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    while (ends.length > 0 && (ends.at(-1) ?? 0) <= at) ends.pop();
    const end = ends.at(-1) ?? bytes.length;
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const count = first > 0x80 ? first - 0x80 : 0;
    let length = count > 0 ? 0 : first;
    for (let one = 0; one < count; one += 1) length = length * 256 + (bytes[at + 2 + one] ?? 0);
    const start = at + 2 + count;
    const isWhole = start + length <= end;
    const descends = isWhole && ((tag & constructed) !== 0 || tag === derTags.octetString);
    if (descends) ends.push(start + length);
    if (ends.length > maxDepth) throw new InvalidSignature('it is nested too deep');
    // What is not whole is no value, and neither is what it stands in.
    if (!isWhole) at = end;
    else at = descends ? start : start + length;
  }
}

/** In its decimal form. @throws InvalidSignature */
export function derOid({ tag, content }: Der): string {
  const last = content.at(-1);
  if (tag !== derTags.oid || last === undefined || last >= 0x80 || content.length > 64) throw malformed();
  const arcs: bigint[] = [];
  let value = 0n;
  for (const byte of content) {
    value = value * 128n + BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(value);
    value = 0n;
  }
  const [first = 0n, ...rest] = arcs;
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...rest].join('.');
}

/** @throws InvalidSignature for what is no time of the forms that certificates have */
export function derTime({ tag, content }: Der): Date {
  const text = Buffer.from(content).toString('latin1');
  const [, century, short = '', rest, fraction = ''] = /^(\d\d)?(\d\d)(\d{10})(\.\d{1,9})?Z$/.exec(text) ?? [];
  const isLong = tag === derTags.generalizedTime;
  if (rest === undefined || isLong !== (century !== undefined) || (!isLong && tag !== derTags.utcTime))
    throw malformed();
  const year = `${century ?? (Number(short) >= 50 ? '19' : '20')}${short}`;
  const [month, day, hour, minute, second] = rest.match(/\d\d/g) ?? [];
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}Z`);
  if (Number.isNaN(date.getTime())) throw malformed();
  return date;
}

export function malformed(): InvalidSignature {
  return new InvalidSignature('it is not DER');
}
