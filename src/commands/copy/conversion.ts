/** `--image-format` and `--compress`: what is changed while an image is copied. */
import type { Conversion } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { parseChoice } from '../command-line/option-values.ts';

export const imageFormats = ['oci', 'docker'] as const;
export const compressions = ['gzip', 'zstd', 'none'] as const;

/** Above 19, zstd needs hundreds of megabytes of memory on both sides. */
const highestLevels = { gzip: 9, zstd: 19, none: 0 } as const;

interface ConversionFlags {
  readonly imageFormat: string | undefined;
  readonly compress: string | undefined;
}

/** @returns Undefined if nothing is changed. @throws OciError USAGE */
export function parseConversion({ imageFormat, compress }: ConversionFlags): Conversion | undefined {
  if (imageFormat === undefined && compress === undefined) return undefined;
  const format = imageFormat === undefined ? undefined : parseChoice('--image-format', imageFormat, imageFormats);
  const compression = compress === undefined ? undefined : parseCompression(compress);
  if (format === 'docker' && compression?.kind === 'zstd') {
    throw new OciError('USAGE', 'conflicting options: --image-format docker and --compress zstd', {
      hint: "docker's image format has no layers in zstd: choose --image-format oci, or --compress gzip",
    });
  }
  return { format, compression };
}

/** @throws OciError USAGE */
export function parseCompression(word: string): NonNullable<Conversion['compression']> {
  const [name = '', digits, ...rest] = word.split(':');
  const kind = parseChoice('--compress', name, compressions);
  if (digits === undefined) return { kind };
  const [level, highest] = [Number(digits), highestLevels[kind]];
  if (rest.length === 0 && /^\d+$/.test(digits) && level >= 1 && level <= highest) return { kind, level };
  const hint =
    highest === 0 ? 'write --compress none' : `levels of ${kind} are 1 to ${highest}: --compress ${kind}:${highest}`;
  throw new OciError('USAGE', `--compress ${kind} has no level ${quote(word.slice(name.length + 1))}`, { hint });
}

interface OtherFlags {
  readonly dry: boolean;
  readonly applied: boolean;
  readonly referrers: boolean;
  readonly digestTags: boolean;
  readonly sparse: boolean;
  readonly ifAbsent: boolean;
}

/** @throws OciError USAGE for options that exclude a conversion, with the reason. */
export function refuseBesideConversion(flags: OtherFlags): void {
  const { dry, applied, referrers, digestTags, sparse, ifAbsent } = flags;
  const refuse = (what: string, hint: string): never => {
    throw new OciError('USAGE', `--image-format and --compress exclude ${what}`, { hint });
  };
  const unknown = 'digests are known only when an image was converted';
  const about =
    'signatures and other referrers are for the digest of the image as it is, and another image would be left with them';
  if (applied) refuse('--apply', 'a plan copies images as they are');
  if (dry) refuse('--dry-run and --plan', `${unknown}: copy it as it is, or convert it without a plan`);
  if (referrers) refuse('--referrers', `${about}: leave one of them out, and sign the new image`);
  if (digestTags) refuse('--digest-tags', `${about}: leave one of them out, and sign the new image`);
  if (ifAbsent) refuse('--if-absent', `${unknown}, so nothing tells whether the tag points at the same already`);
  if (sparse) refuse('--sparse', 'an index with converted images is another index: leave --sparse out');
}
