/**
 * What `ocictl serve --redirect` and its companions mean: which downloads go to the store, and with which URLs. Part of the
 * composition root, loaded by that command only.
 */
import { resolve } from 'node:path';
import { openReloaded } from '../../config/reloaded.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { BlobDownload } from '../../server/http/blob-download.ts';
import type { BlobUrlSigner } from '../../storage/driver.ts';
import { createBaseUrls } from '../../storage/urls/base-url.ts';
import { createCloudFrontSigner } from '../../storage/urls/cloudfront.ts';
import type { StoreRoot } from '../storage/store-root.ts';
import { networksIn } from './networks.ts';

export interface RedirectFlags {
  readonly redirect?: boolean | undefined;
  /** Smaller blobs are sent from here: `1MB`. */
  readonly redirectMin?: string | undefined;
  /** Networks of clients that get every blob from here. */
  readonly redirectExcept?: readonly string[] | undefined;
  /** Scheme and host under which clients reach the store, for its own signed URLs. */
  readonly redirectHost?: string | undefined;
  /** Where another server has the files of the store. */
  readonly redirectUrl?: string | undefined;
  /** `KEYPAIRID=KEYFILE`: signs the URLs below `redirectUrl` for CloudFront. */
  readonly redirectCloudfront?: string | undefined;
}

export interface Redirects {
  /** Whether the client gets this blob from the store. */
  readonly applies: (download: BlobDownload) => boolean;
  /** Where blobs are without a signature: access is not decided here then. */
  readonly openAt: string | undefined;
  /** Makes the URLs of a store. @throws OciError USAGE if there are none, CONFIG_INVALID for a key that cannot be used. */
  signer(root: Pick<StoreRoot, 'driver' | 'name' | 'keyPrefix'>): Promise<BlobUrlSigner>;
}

/**
 * @param warn Called with what goes wrong later.
 * @returns Undefined without `--redirect`. @throws OciError USAGE
 */
export function readRedirects(flags: RedirectFlags, warn: (text: string) => void): Redirects | undefined {
  const { redirectUrl, redirectHost, redirectCloudfront } = flags;
  if (flags.redirect !== true) {
    const [given] = companions.filter(([, isGiven]) => isGiven(flags));
    if (given === undefined) return undefined;
    throw new OciError('USAGE', `${given[0]} is of no use without --redirect`, { hint: 'add --redirect' });
  }
  if (redirectUrl !== undefined && redirectHost !== undefined) {
    throw new OciError('USAGE', 'conflicting options: --redirect-url and --redirect-host both say where blobs are', {
      hint: 'leave out --redirect-host: it is for URLs that the store itself signs',
    });
  }
  if (redirectUrl === undefined && redirectCloudfront !== undefined) {
    throw new OciError('USAGE', '--redirect-cloudfront is of no use without the address of the distribution', {
      hint: 'name it with --redirect-url, as in https://d111111abcdef8.cloudfront.net',
    });
  }
  const plain = redirectUrl === undefined ? undefined : createBaseUrls({ base: redirectUrl });
  const minBytes = flags.redirectMin === undefined ? 0 : sizeIn(flags.redirectMin);
  const isExcepted = networksIn('--redirect-except', flags.redirectExcept ?? []);
  const origin = redirectHost === undefined ? undefined : originIn(redirectHost);
  return {
    applies: ({ size, remoteAddress }) => size >= minBytes && isExcepted?.(remoteAddress) !== true,
    openAt: redirectCloudfront === undefined ? redirectUrl : undefined,
    async signer({ driver, name, keyPrefix }) {
      if (redirectUrl !== undefined && redirectCloudfront !== undefined) {
        return await cloudFront({ base: redirectUrl, keyPrefix }, redirectCloudfront, warn);
      }
      if (plain !== undefined) return plain;
      if (driver.url !== undefined) return { url: async (path, opts) => driver.url?.(path, { ...opts, origin }) };
      throw new OciError('USAGE', `--redirect: ${name} gives out no URLs where clients could download blobs`, {
        hint: 'serve its files with another server, and name the address with --redirect-url',
      });
    },
  };
}

const companions: readonly (readonly [string, (flags: RedirectFlags) => boolean])[] = [
  ['--redirect-min', ({ redirectMin }) => redirectMin !== undefined],
  ['--redirect-except', ({ redirectExcept = [] }) => redirectExcept.length > 0],
  ['--redirect-host', ({ redirectHost }) => redirectHost !== undefined],
  ['--redirect-url', ({ redirectUrl }) => redirectUrl !== undefined],
  ['--redirect-cloudfront', ({ redirectCloudfront }) => redirectCloudfront !== undefined],
];

async function cloudFront(
  where: { readonly base: string; readonly keyPrefix: string | undefined },
  word: string,
  warn: (text: string) => void,
): Promise<BlobUrlSigner> {
  const [, keyPairId, name] = /^([^=]*)=(.+)$/s.exec(word) ?? [];
  if (keyPairId === undefined || name === undefined) {
    throw new OciError('USAGE', `invalid --redirect-cloudfront ${quote(word)}`, {
      hint: 'it is KEYPAIRID=KEYFILE, the id of the public key at CloudFront and the file of the private key',
    });
  }
  const file = resolve(name);
  const current = await openReloaded(file, {
    what: 'key for CloudFront',
    hint: 'name the file of the private key with --redirect-cloudfront KEYPAIRID=KEYFILE',
    parse: (privateKey) => signerWith({ ...where, keyPairId, privateKey }, file),
    meanwhile: 'the earlier key stays in effect',
    warn,
  });
  return { url: async (path, opts) => (await current()).url(path, opts) };
}

function signerWith(options: Parameters<typeof createCloudFrontSigner>[0], file: string): BlobUrlSigner {
  try {
    return createCloudFrontSigner(options);
  } catch (error) {
    if (!isOciError(error, 'USAGE')) throw error;
    throw new OciError('CONFIG_INVALID', `${file}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

const units: Readonly<Record<string, number>> = { kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

function sizeIn(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)\s?([a-z]*)$/i.exec(text) ?? [];
  const factor = /^b?$/i.test(unit) ? 1 : units[unit.toLowerCase()];
  if (amount !== '' && factor !== undefined) return Number(amount) * factor;
  throw new OciError('USAGE', `invalid --redirect-min ${quote(text)}`, {
    hint: 'it is a size, as in 500kB, 1MB or 4MiB',
  });
}

function originIn(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  throw new OciError('USAGE', 'invalid --redirect-host', {
    hint: 'it is scheme and host under which clients reach the store, as in https://s3.example.com',
  });
}
