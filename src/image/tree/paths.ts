/** Paths of a system have at most this many bytes: Linux takes no longer ones. */
export const maxPathBytes = 4096;

/** How many symbolic links are followed on one path, as Linux does. */
export const maxFollowed = 40;

/**
 * The names on a path from the root, without `.` and with `..` resolved as text: `usr/bin` of `./usr/lib/../bin/`.
 *
 * @returns Undefined for a path that leads out.
 */
export function partsOf(path: string): readonly string[] | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts;
}

/** The names on a path, with every `..`, for a walk that follows links. */
export function stepsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
