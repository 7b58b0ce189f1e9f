/** Words that name a file or directory, and an image in it: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`. */
import { type Digest, digestAlgorithms, parseDigest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';

/** How such words are described in messages. */
interface FileWording {
  /** `oci:` */
  readonly prefix: string;
  /** `DIRECTORY`, as it is written in hints. */
  readonly label: string;
  /** `a layout` */
  readonly thing: string;
}

interface FileWord {
  readonly file: string;
  /** A tag, or another name of an image. If a name and a digest are given, the digest counts. */
  readonly name?: string;
  readonly digest?: Digest;
}

/**
 * Splits a word. The first colon ends the file, as in skopeo. After it comes a tag, or any other name:
 * `oci:dir:base/app:1.0`.
 *
 * @param rest The word without its prefix.
 * @throws OciError REFERENCE_INVALID
 */
export function parseFileWord(rest: string, wording: FileWording): FileWord {
  const { prefix, label, thing } = wording;
  const misnamed = (message: string): OciError =>
    new OciError('REFERENCE_INVALID', message, {
      hint: `${thing} is named ${prefix}${label} or ${prefix}${label}:TAG`,
    });
  const at = rest.lastIndexOf('@');
  // Only a known algorithm makes it a digest: `oci:app@v1:3` is a directory `app@v1`.
  if (at > 0 && Object.keys(digestAlgorithms).some((name) => rest.startsWith(`${name}:`, at + 1))) {
    return { file: parseFileWord(rest.slice(0, at), wording).file, digest: readDigest(rest.slice(at + 1)) };
  }
  const drive = process.platform === 'win32' && /^[a-z]:[\\/]/i.test(rest) ? 2 : 0;
  const colon = rest.indexOf(':', drive);
  const [file, name] = colon === -1 ? [rest] : [rest.slice(0, colon), rest.slice(colon + 1)];
  if (file === '') throw misnamed(`${prefix}${rest} names no ${label.toLowerCase()}`);
  if (name === '') throw misnamed(`invalid tag in ${prefix}${rest}`);
  return { file, ...(name !== undefined && { name }) };
}

/** The parts of a word, as kinds of places give them. @throws OciError REFERENCE_INVALID */
export function splitFileWord(rest: string, wording: FileWording): { readonly place: string; readonly name?: string } {
  const { file, name } = parseFileWord(rest, wording);
  return { place: file, ...(name !== undefined && { name }) };
}

/** Shows where the word was split to a user whose file has a colon in its name. */
export function withColonTold(error: unknown, { file, name }: FileWord, { label }: FileWording): unknown {
  if (!isOciError(error) || !name?.includes('/')) return error;
  const { code, message, detail } = error;
  const hint = `the first colon ends the ${label.toLowerCase()}, as with skopeo: here it is ${file}`;
  return new OciError(code, message, { detail, hint, cause: error });
}

/** Whether a name is that of a repository, such as `base/app`, to which a tag can be added. Without a slash it is a tag. */
export function isRepositoryName(name: string): boolean {
  return name.includes('/') && !/[:@]/.test(name.slice(name.lastIndexOf('/')));
}

function readDigest(word: string): Digest {
  try {
    return parseDigest(word);
  } catch (error) {
    if (!isOciError(error, 'DIGEST_INVALID')) throw error;
    throw new OciError('REFERENCE_INVALID', error.message, { hint: error.hint, cause: error });
  }
}
