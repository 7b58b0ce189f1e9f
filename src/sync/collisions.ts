import { formatOrigin, type Origin } from '../config/origin.ts';
import { OciError } from '../model/errors.ts';
import type { Wanted } from './select.ts';

/** Collisions that one error names. */
const told = 5;

/**
 * Refuses images that would overwrite each other. An image that several sources choose for the same place counts once.
 *
 * @returns Each image once.
 * @throws OciError CONFIG_INVALID naming the images and their lines.
 */
export function refuseCollisions(wanted: readonly Wanted[]): readonly Wanted[] {
  const targets = new Map<string, Wanted>();
  const collisions: string[] = [];
  for (const image of wanted) {
    const { fullName } = image.target;
    const other = targets.get(fullName);
    if (!other) targets.set(fullName, image);
    else if (!isSame(image, other)) {
      collisions.push(`${fullName} would be both ${described(other)} and ${described(image)}`);
    }
  }
  if (collisions.length === 0) return [...targets.values()];
  const more = collisions.length > told ? `, and ${collisions.length - told} more` : '';
  throw new OciError('CONFIG_INVALID', `${collisions.slice(0, told).join('; ')}${more}`, {
    hint: 'let the names differ, as with {{.Host}}, {{.Path}} and {{.Tag}}; nothing was changed',
  });
}

function isSame(one: Wanted, other: Wanted): boolean {
  return one.name === other.name && wishes(one) === wishes(other);
}

function wishes({ source: { platforms, referrers, digestTags } }: Wanted): string {
  return JSON.stringify([platforms, referrers, digestTags]);
}

function described({ name, source }: Wanted): string {
  return `${name} (${line(source.origin)})`;
}

function line(origin: Origin): string {
  return origin.line === undefined ? formatOrigin(origin) : `line ${origin.line}`;
}
