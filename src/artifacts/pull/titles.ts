/** Titles of an artifact, which may come from anybody, become paths below one directory. */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/** Begins the names of directories in which a pull keeps what is not complete. */
export const workPrefix = '.ocictl-pull.';

/** What file systems take: a name in bytes, and a path as a whole. */
const maxNameBytes = 255;
const maxPathBytes = 3072;
/** Deeper directories are refused. */
export const maxDepth = 128;

/** What can be done about a title that is refused. */
export const titleHint =
  'nothing was written; ocictl blob get NAME@DIGEST reads what an artifact holds, whatever its title';

/** Names that Windows gives to devices, in every directory and with any extension. */
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:[ .]|$)/i;

/**
 * The names that lead from the output directory to a file. Titles have forward slashes on every system.
 *
 * @param system As `process.platform`.
 * @returns Empty for the output directory itself.
 * @throws OciError MANIFEST_INVALID for a title that leads out of the directory, or is no path on some system.
 */
export function pathOfTitle(title: string, system?: string): readonly string[] {
  const { names, problem } = readPath(title, system);
  if (problem === undefined) return names;
  throw new OciError('MANIFEST_INVALID', `the title ${quote(title)} of a file is refused: ${problem}`, {
    hint: titleHint,
  });
}

/** The names that a path consists of, and why it is refused, if it is. */
export function readPath(
  text: string,
  system: string = process.platform,
): { readonly names: readonly string[]; readonly problem: string | undefined } {
  const names = text.split('/').filter((name) => name !== '' && name !== '.');
  const problem = problemOf(text, names) ?? (system === 'win32' ? names.map(windowsProblem).find(Boolean) : undefined);
  return { names, problem };
}

function problemOf(title: string, names: readonly string[]): string | undefined {
  if (title === '') return 'it is empty';
  if (/\p{Cc}/u.test(title)) return 'it has a control character';
  if (title.includes('\\')) return 'it has a backslash, which separates directories on Windows';
  if (title.startsWith('/')) return 'it is an absolute path';
  if (/^[a-z]:/i.test(names[0] ?? '')) return 'it begins with a drive letter of Windows';
  if (names.includes('..')) return 'it leads out of its directory';
  if (/\p{Surrogate}/u.test(title)) return 'it is not valid Unicode';
  if (names[0]?.toLowerCase().startsWith(workPrefix))
    return `names that begin with ${workPrefix} are for unfinished files`;
  if (names.length > maxDepth) return `it has more than ${maxDepth} directories`;
  if (names.some((name) => Buffer.byteLength(name) > maxNameBytes)) return `a name has more than ${maxNameBytes} bytes`;
  return Buffer.byteLength(title) > maxPathBytes ? `it has more than ${maxPathBytes} bytes` : undefined;
}

/** @see https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file */
function windowsProblem(name: string): string | undefined {
  if (deviceName.test(name)) return `${quote(name)} is a device on Windows`;
  if (/[<>:"|?*]/.test(name)) return `${quote(name)} has a character that Windows does not take`;
  return /[ .]$/.test(name) ? `${quote(name)} ends with a space or a dot, which Windows drops` : undefined;
}

/** A title with its path. */
interface Titled {
  readonly title: string;
  readonly path: readonly string[];
}

/**
 * Refuses files of which one would replace another, or lie in it.
 *
 * @param fold Maps names that are one on the file system to one text. Default: all names differ.
 * @throws OciError MANIFEST_INVALID naming both.
 */
export function refuseConflicts(files: readonly Titled[], fold = (name: string): string => name): void {
  const key = (path: readonly string[]): string => path.map(fold).join('/');
  const known = new Map<string, string>();
  for (const { title, path } of files) {
    const other = known.get(key(path));
    if (other !== undefined) throw conflict(`two files have the titles ${quote(other)} and ${quote(title)}`);
    known.set(key(path), title);
  }
  for (const { title, path } of files) {
    for (let length = 0; length < path.length; length += 1) {
      const above = known.get(key(path.slice(0, length)));
      if (above !== undefined)
        throw conflict(`the title ${quote(title)} lies in the file or directory ${quote(above)}`);
    }
  }
}

function conflict(what: string): OciError {
  return new OciError('MANIFEST_INVALID', `${what}: one of them would replace the other`, { hint: titleHint });
}
