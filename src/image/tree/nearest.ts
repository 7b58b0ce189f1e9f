import { editDistance } from '../../model/text/edit-distance.ts';
import type { TreeNode } from './node.ts';

const most = 3;
/** Of a directory with more names, only so many are compared. */
const maxCompared = 10_000;

/** The names in a directory that are most like one that is not there. */
export function nearestNames({ children }: TreeNode, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  const ranked: { readonly name: string; readonly distance: number }[] = [];
  for (const other of children?.keys() ?? []) {
    if (ranked.length >= maxCompared) break;
    if (other.length <= 255) ranked.push({ name: other, distance: distanceOf(wanted, other.toLowerCase()) });
  }
  return ranked
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map((one) => one.name);
}

/** 0 to 1 for names that begin alike or differ in case; else the letters to add, leave out or change. */
function distanceOf(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length >= 3 && (b.startsWith(a) || a.startsWith(b))) return 1;
  if (Math.abs(a.length - b.length) > 8 || a.length > 64) return Number.POSITIVE_INFINITY;
  return editDistance(a, b);
}
