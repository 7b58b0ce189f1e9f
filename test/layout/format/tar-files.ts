import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { LayoutFiles } from '../../../src/layout/format/files.ts';
import { OciError } from '../../../src/model/errors.ts';

/** The files of a layout in an uncompressed tar archive, read by their offsets, as `format` requires of an archive. */
export function tarFiles(directory: string): LayoutFiles {
  const archive = join(directory, '..', 'layout.tar');
  const { status } = spawnSync('tar', ['--format=ustar', '-cf', archive, '-C', directory, '.']);
  if (status !== 0) throw new Error('tar failed');
  const bytes = readFileSync(archive);
  const places = placesIn(bytes);
  const partOf = (path: string, start = 0, end = Number.POSITIVE_INFINITY): Buffer | undefined => {
    const place = places.get(path);
    return place && bytes.subarray(place.offset + start, place.offset + Math.min(end, place.size));
  };
  return {
    shown: (path) => `${archive}/${path}`,
    stat: async (path) => {
      const place = places.get(path);
      return place && { size: place.size, version: String(place.offset) };
    },
    read: async (path, maxBytes) => {
      const part = partOf(path);
      if (part !== undefined && part.length > maxBytes) throw new OciError('TOO_LARGE', path);
      return part && Uint8Array.from(part);
    },
    open: async (path, range) => {
      let left = partOf(path, range?.start, range?.end);
      if (left === undefined) return undefined;
      return {
        size: places.get(path)?.size ?? 0,
        async read(into) {
          const taken = left?.copy(into) ?? 0;
          left = left?.subarray(taken);
          return taken;
        },
        close: async () => {},
      };
    },
    list: async (path) => [...places.keys()].filter((name) => posix.dirname(name) === (path || '.')),
  };
}

function placesIn(bytes: Buffer): ReadonlyMap<string, { readonly offset: number; readonly size: number }> {
  const text = (start: number, length: number): string =>
    /^[^\0]*/.exec(bytes.toString('latin1', start, start + length))?.[0] ?? '';
  const places = new Map<string, { offset: number; size: number }>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    if (text(at + 156, 1) === '0') places.set(posix.normalize(text(at, 100)), { offset: at + 512, size });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return places;
}
