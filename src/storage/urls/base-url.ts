/** URLs below the address of a server that serves the store's files as they are, such as nginx over the directory. */
import { checkOptions, type Shape } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import type { BlobUrlSigner, StorePath } from '../driver.ts';

export interface BaseUrlOptions {
  /** The address of the store's root: `https://files.example.com/images`. */
  readonly base: string;
}

const baseUrlShape: Shape<BaseUrlOptions> = { base: 'string' };

/**
 * URLs without a signature: the base and the path below the store's root. Whoever knows a digest can read the blob there, so
 * access is that server's to decide. The same as the `redirect` middleware of distribution.
 *
 * @throws OciError USAGE for a base that is not an http(s) URL, or has a user name, a query or a fragment.
 * @see https://distribution.github.io/distribution/about/configuration/#redirect
 */
export function createBaseUrls(options: BaseUrlOptions): BlobUrlSigner {
  checkOptions('createBaseUrls', options, baseUrlShape, ['base']);
  const base = parseBase(options.base);
  return { url: async (path) => belowBase(base, path) };
}

/** @returns The base without a slash at its end. @throws OciError USAGE */
export function parseBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.username === '' && url.password === '' && url.search + url.hash === '';
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  // The text may contain a secret in its place for a password or a query: it is not repeated.
  throw new OciError('USAGE', 'invalid base of the URLs where blobs are downloaded', {
    hint: 'it is an http or https URL without user name, query and fragment, as in https://files.example.com/images',
  });
}

/** The URL of a path, or of a key that begins with a prefix of any characters. */
export function belowBase(base: string, path: StorePath | string): string {
  return `${base}/${path.split('/').map(encodeURIComponent).join('/')}`;
}
