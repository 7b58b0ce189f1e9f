/** How layers are made. */
import type { Conversion } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { value } from '../command-line/command.ts';
import { compressions, parseCompression } from '../copy/conversion.ts';

export const compressOption = value(
  '--compress <compression>',
  'Compression of the new layer: gzip (default), zstd or none, with a level as in zstd:9',
  { choices: compressions },
);

/** @throws OciError USAGE */
export function compressionOf(word: string | undefined): Conversion['compression'] {
  return word === undefined ? undefined : parseCompression(word);
}

/** `0:0`, `1000`. @throws OciError USAGE */
export function parseOwner(word: string | undefined): { readonly uid: number; readonly gid: number } {
  const [, uid = '', gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(word ?? '0:0') ?? [];
  const [user, group] = [Number(uid), Number(gid)];
  if (uid !== '' && Math.max(user, group) < 2 ** 32) return { uid: user, gid: group };
  throw new OciError('USAGE', `--owner takes UID:GID, not ${quote(word ?? '')}`, {
    hint: 'numbers alone: names differ from image to image',
  });
}

/** A path in the image, without slashes around it. @throws OciError USAGE */
export function parsePrefix(word: string | undefined): string {
  const parts = (word ?? '').split('/').filter((part) => part !== '' && part !== '.');
  if (!parts.includes('..') && !word?.includes('\0')) return parts.join('/');
  throw new OciError('USAGE', `--prefix leads out of the image: ${quote(word ?? '')}`);
}
