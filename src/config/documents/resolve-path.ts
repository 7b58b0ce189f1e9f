import { dirname, isAbsolute, join, resolve } from 'node:path';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/** Makes paths of a settings file absolute: those that are not are relative to the file. @param homedir Replaces `~` in `~/`. */
export function pathsIn(file: string, homedir: string | undefined): (path: string) => string {
  return (path) => {
    if (path.startsWith('~/')) {
      if (homedir !== undefined) return join(homedir, path.slice(2));
      throw new OciError('CONFIG_INVALID', `${file}: there is no home directory for ${quote(path)}`, {
        hint: 'set $HOME, or write the path in full',
      });
    }
    return isAbsolute(path) ? path : join(dirname(resolve(file)), path);
  };
}
