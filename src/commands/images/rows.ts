import type { LocalImage } from '../../app/context.ts';
import { shortDigest } from '../../model/digest.ts';
import { formatAge, formatBytes, isKnownTime } from '../../terminal/format.ts';

/** The fields of a template for `docker images`, with their headings in a table. */
export const imageHeadings = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
};

export type ImageRow = Readonly<Record<keyof typeof imageHeadings, string>>;

/** An image as `docker images` shows it. */
export function imageRow(image: LocalImage, { now, whole }: { readonly now: Date; readonly whole: boolean }): ImageRow {
  const { created } = image;
  return {
    Repository: image.name,
    Tag: image.tag ?? '<none>',
    Digest: image.root.digest,
    ID: whole ? image.id : shortDigest(image.id),
    CreatedSince: isKnownTime(created) ? formatAge(created, now) : 'N/A',
    CreatedAt: isKnownTime(created) ? created.toISOString().replace('T', ' ').replace(/\..*/, ' +0000 UTC') : 'N/A',
    Size: formatBytes(image.sizeBytes),
  };
}
