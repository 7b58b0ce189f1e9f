/**
 * Where a symbolic link leads when its image is a directory: to the same file in it. A link that begins at the root, or could lead out,
 * is written anew; another stays as it is.
 *
 * @param path The names that lead from the directory to the link.
 */
export function confinedTarget(path: readonly string[], linkname: string): string {
  const steps = linkname.split('/').filter((step) => step !== '' && step !== '.');
  const down = steps.findIndex((step) => step !== '..');
  const rises = down === -1 ? steps.length : down;
  const isAbsolute = linkname.startsWith('/');
  // Up first, and then down: so it cannot rise through another link.
  if (!isAbsolute && rises < path.length && !steps.slice(rises).includes('..')) return linkname;
  const target = isAbsolute ? [] : path.slice(0, -1);
  for (const step of steps) {
    if (step === '..') target.pop();
    else target.push(step);
  }
  return [...path.slice(0, -1).map(() => '..'), ...target].join('/') || '.';
}
