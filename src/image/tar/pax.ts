/**
 * Records of PAX: `LENGTH KEY=VALUE\n`, where the length counts all of it.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03
 */
import { nameBytes, nameOf } from './names.ts';

/** A record. Values are bytes as names are. */
export type PaxRecord = readonly [key: string, value: string];

const [space, newline, equals] = [0x20, 0x0a, 0x3d];

/** Reads records, in their order: old sparse files repeat a key. @returns Undefined if they are malformed. */
export function readRecords(bytes: Buffer): readonly PaxRecord[] | undefined {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    // Some programs fill the rest with zeros.
    if (bytes[at] === 0) return bytes.subarray(at).every((byte) => byte === 0) ? records : undefined;
    const gap = bytes.subarray(at, at + 8).indexOf(space);
    const digits = gap > 0 ? bytes.toString('latin1', at, at + gap) : '';
    if (!/^[0-9]+$/.test(digits)) return undefined;
    const end = at + Number(digits);
    const start = at + gap + 1;
    if (end <= start || end > bytes.length || bytes[end - 1] !== newline) return undefined;
    const sign = bytes.subarray(start, end - 1).indexOf(equals);
    if (sign <= 0) return undefined;
    records.push([nameOf(bytes, start, start + sign), nameOf(bytes, start + sign + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** The bytes of records. */
export function writeRecords(records: readonly PaxRecord[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.concat([
        Buffer.from(' '),
        nameBytes(key),
        Buffer.from('='),
        nameBytes(value),
        Buffer.from('\n'),
      ]);
      let length = rest.length;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}
