import { isAbsolute, normalize, sep } from 'node:path';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/**
 * The title of a file or directory: its path as it was given, with forward slashes and without `./` and what else means
 * nothing.
 *
 * @throws OciError USAGE for a path that would lead out of the directory into which the artifact is pulled.
 */
export function titleOf(path: string): string {
  const title = normalize(path).replaceAll(sep, '/').replace(/\/+$/, '');
  checkTitle(isAbsolute(path) ? '/' : title, path);
  return title;
}

/** @param shown What is named in the error. @throws OciError USAGE as {@link titleOf} */
export function checkTitle(title: string, shown = title): void {
  const parts = title.split('/');
  const problem = title.startsWith('/')
    ? 'is an absolute path'
    : parts.includes('..')
      ? 'leads out of the current directory'
      : title === '' || title.includes('\0')
        ? 'is no path'
        : undefined;
  if (problem === undefined) return;
  throw new OciError('USAGE', `${quote(shown)} ${problem}, and whoever pulls the artifact could not place it`, {
    hint: 'change into the directory of the file, and name it from there',
  });
}
