/** Names of files in an archive: relative, joined by `/`, without `.` and `..`. */

/**
 * The name in its plain form: `blobs/sha256/…` for `./blobs/sha256/…`.
 *
 * @returns Undefined for a name that leads out of the archive, or is no name at all; empty for the archive's own directory.
 */
export function plainName(name: string): string | undefined {
  return name.startsWith('/') || name.includes('\0') ? undefined : joined([], name, false);
}

/**
 * The name of what a link leads to.
 *
 * @param at The plain name of the link. A symbolic link is relative to its directory, a hard link to the archive.
 * @returns Undefined if it leads out of the archive.
 */
export function linkTarget(at: string, target: string, kind: 'link' | 'symlink'): string | undefined {
  if (kind === 'link') return plainName(target);
  if (target.startsWith('/') || target.includes('\0')) return undefined;
  return joined(at.split('/').slice(0, -1), target, true);
}

function joined(base: readonly string[], name: string, mayRise: boolean): string | undefined {
  const parts = [...base];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (!mayRise || parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
