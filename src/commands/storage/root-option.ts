import { OciError } from '../../model/errors.ts';
import { value } from '../command-line/command.ts';

/** For help. */
export const whichStore =
  'DIR is the --root of `ocictl serve`, which may run meanwhile: a directory, or a bucket as s3://BUCKET/PREFIX. It can\n' +
  'also be the store of a distribution registry. A directory that is not a registry’s is left alone.';

export const rootOption = value('--root <dir>', 'The store: a directory, or s3://BUCKET/PREFIX?…');

/** A store for messages: without the parameters of a URL, which may be secret. */
export function shownRoot(root: string): string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)([^?#]*)/i.exec(root) ?? [];
  return scheme === undefined ? root : scheme + rest.replace(/^[^/]*@/, '');
}

/** @throws OciError USAGE if no store was named */
export function requireRoot(root: string | undefined, action: string): string {
  if (root !== undefined) return root;
  throw new OciError('USAGE', 'no registry was named', { hint: `usage: ocictl storage ${action} --root DIR` });
}
