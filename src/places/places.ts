/** The kinds of places that commands read and write: everything specific to `oci:` and the others is behind this table. */
import { dirKind } from './dir.ts';
import { dockerArchiveKind } from './docker-archive.ts';
import { dockerDaemonKind } from './docker-daemon.ts';
import { layoutKind } from './layout.ts';
import { ociArchiveKind } from './oci-archive.ts';
import type { PlaceKind } from './place.ts';
import { registryKind } from './registry.ts';
import { storeKind } from './store.ts';

/** In the order of help. A word without any kind's prefix is of the first kind. */
const kinds: readonly [PlaceKind, ...PlaceKind[]] = [
  registryKind,
  layoutKind,
  ociArchiveKind,
  dockerArchiveKind,
  dirKind,
  dockerDaemonKind,
  storeKind,
];

/** The kind of place that a word names. */
export function kindOf(word: string): PlaceKind {
  return kinds.find(({ prefix }) => prefix !== '' && word.startsWith(prefix)) ?? kinds[0];
}

/** Whether a word is a reference, not a place of another kind. */
export function isReference(word: string): boolean {
  return kindOf(word) === kinds[0];
}

/** What names the place alone, and the name of an image in it, if the word is of a kind that holds several under names of their own. */
export function splitName(word: string): { readonly place: string; readonly name: string | undefined } | undefined {
  const { prefix, split } = kindOf(word);
  const parts = split?.(word.slice(prefix.length));
  return parts && { place: `${prefix}${parts.place}`, name: parts.name };
}

/** `REF is an image in a registry, oci:DIR[:TAG] for …, or store:NAME for ….` */
export function imageHelp(label: string): string {
  return `${label} is ${listed('image', ', or')}.`;
}

/** `registry references, OCI layouts (…) and the local store (…)` */
export function sidesHelp(): string {
  return listed('side', ' and');
}

/** All kinds but registries: `layouts (oci:DIR) and the local store (store:NAME)`. */
export function otherRepositoriesHelp(): string {
  return listed('repository', ' and', kinds.slice(1));
}

function listed(
  use: keyof NonNullable<PlaceKind['help']>,
  conjunction: string,
  of: readonly PlaceKind[] = kinds,
): string {
  const phrases = of.flatMap(({ help }) => help?.[use] ?? []);
  return `${phrases.slice(0, -1).join(', ')}${conjunction} ${phrases.at(-1)}`;
}
