import type { Digest } from '../model/digest.ts';
import { isDigestReference, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { isRepositoryName } from './file-word.ts';
import { type Place, type PlaceKind, plainPlace } from './place.ts';

/** An open file or directory of images, which has one repository without a name. */
interface FileOfImages {
  readonly kind: PlaceKind;
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** Default true. */
  readonly sparse?: boolean;
  /** As the user wrote it. */
  readonly file: string;
  /** With all links followed. */
  readonly real: string;
  /** As for a place. */
  readonly replaced?: string | undefined;
  readonly occupied?: boolean;
  readonly readsBack?: boolean;
  readonly reopen?: (() => Promise<Place>) | undefined;
  /** What was written after it: a tag, or another name. */
  readonly written: string | undefined;
  readonly parseName: (name: string) => Tag;
  readonly names: () => Promise<readonly string[]>;
  readonly explain?: (error: unknown) => unknown;
  readonly finish?: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** A place in a file or directory. @param isNamed Whether the user named the image. */
export function filePlace(images: FileOfImages, target: Tag | Digest, isNamed: boolean): Place {
  const {
    kind,
    registry,
    repo,
    sparse = true,
    file,
    real,
    replaced,
    occupied,
    readsBack = true,
    reopen,
    written,
    parseName,
    names,
    explain,
    finish,
    dispose,
  } = images;
  const whole = `${kind.prefix}${file}`;
  const tag = isDigestReference(target) ? undefined : target;
  const suffix = tag === undefined ? `@${target}` : `:${target}`;
  return {
    ...plainPlace,
    kind,
    registry,
    repo,
    reference: target,
    tag,
    named: isNamed,
    name: isNamed ? whole + suffix : whole,
    fullName: whole + suffix,
    identity: `${kind.prefix}${real}${suffix}`,
    ...(replaced !== undefined && { replaced }),
    ...(occupied && { occupied }),
    readsBack,
    ...(reopen && { reopen }),
    repository: whole,
    hosted: undefined,
    sparse,
    at: (other) => filePlace(images, other, true),
    image: (other) => filePlace(images, parseName(other), true),
    ...(written !== undefined &&
      isRepositoryName(written) && {
        below: (other: Tag) => filePlace(images, parseName(`${written}:${other}`), true),
      }),
    names,
    ...(explain && { explain }),
    ...(finish && { finish }),
    [Symbol.asyncDispose]: dispose,
  };
}
