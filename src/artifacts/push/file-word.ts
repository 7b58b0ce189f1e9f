import { stat } from '../../files/system-calls.ts';
import { OciError } from '../../model/errors.ts';
import { isMediaType } from '../../model/manifest/media-types.ts';
import { quote } from '../../model/quote.ts';

/** A file as it is named in a command. */
interface NamedFile {
  /** `-` for standard input. */
  readonly path: string;
  /** Undefined if none was written. */
  readonly mediaType: string | undefined;
}

/**
 * Reads `FILE` or `FILE:TYPE`. A word that is the name of a file is that file; otherwise the type begins after the last
 * colon. So a colon at the end belongs to no name, and `a:b:` is the file `a:b` without a type.
 *
 * @throws OciError USAGE if there is no such file, or what follows it is no media type.
 */
export async function parseFileWord(word: string): Promise<NamedFile> {
  if (word === '-' || (await exists(word))) return { path: word, mediaType: undefined };
  const colon = word.lastIndexOf(':');
  const path = word.slice(0, Math.max(colon, 0));
  if (colon < 1 || (path !== '-' && !(await exists(path)))) {
    throw new OciError('USAGE', `there is no file ${quote(colon < 1 ? word : path)}`);
  }
  const type = word.slice(colon + 1);
  return { path, mediaType: type === '' ? undefined : checkMediaType(type, `the type of ${path}`) };
}

/** @param what What is wrong, for the error: `--artifact-type`. @throws OciError USAGE */
export function checkMediaType(type: string, what: string): string {
  if (isMediaType(type.toLowerCase())) return type;
  throw new OciError('USAGE', `${what} is not a media type: ${quote(type)}`, {
    hint: 'a media type has two parts, as in application/vnd.example.v1+json',
  });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
