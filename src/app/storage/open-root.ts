/** Opens what `--root` names. Part of the composition root, loaded only by the commands that need it. */
import { fileURLToPath } from 'node:url';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { openDirectory } from './root-directory.ts';
import type { RootOptions, RootParts, StoreRoot } from './store-root.ts';

/**
 * @param word `DIR`, `file://DIR` or `s3://BUCKET/PREFIX?…`.
 * @throws OciError USAGE for a URL that names no store; STORAGE and STORAGE_DENIED if there is none, it is not a
 * registry's, or it cannot be read, or written although it must be; CONFIG_INVALID if there are no keys for it; UNAVAILABLE
 * if it does not answer.
 */
export async function openRoot(word: string, parts: RootParts, options: RootOptions = {}): Promise<StoreRoot> {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(word) ?? [];
  if (scheme === undefined) return await openDirectory(word, word, options);
  if (scheme.toLowerCase() === 'file') return await openDirectory(word, pathOf(word), options);
  if (scheme.toLowerCase() === 's3') return await (await import('./s3-root.ts')).openS3Root(word, parts, options);
  throw new OciError('USAGE', `--root ${quote(`${scheme}://`)} names no kind of store`, {
    hint: 'name a directory, as DIR or file://DIR, or a bucket, as s3://BUCKET/PREFIX',
  });
}

function pathOf(word: string): string {
  try {
    return fileURLToPath(word);
  } catch (cause) {
    throw new OciError('USAGE', `--root ${quote(word)} is no file URL of this machine`, {
      cause,
      hint: 'write three slashes before an absolute path, file:///srv/images, or the directory alone',
    });
  }
}
