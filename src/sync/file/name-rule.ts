/** Where the images of a source go: names, and templates of names. */
import { at, configError } from '../../config/documents/config-error.ts';
import type { Sourced } from '../../config/origin.ts';
import { quote } from '../../model/quote.ts';
import { type RepositoryName, type Tag, toStoreName } from '../../model/reference/reference.ts';
import { splitName } from '../../places/places.ts';

/** Where an image goes. */
export interface NameRule {
  readonly origin: Sourced<string>['origin'];
  /** As it was written. */
  readonly text: string;
  /**
   * The name of the place, as users write it. Without a tag there, the tag is that of the image.
   *
   * @throws OciError CONFIG_INVALID
   */
  readonly nameOf: (image: ImageName) => string;
}

/** The fields of a template. */
interface ImageName {
  /** `docker.io`, `registry.example.com:5000`. */
  readonly Registry: string;
  /** The same with `_` in place of the colon: names of repositories take none. */
  readonly Host: string;
  /** `library/alpine` */
  readonly Path: string;
  /** The last part of the path: `alpine`. */
  readonly Name: string;
  /** Empty for an image that is named by its digest. */
  readonly Tag: string;
}

/** Compiles a template with these fields to a function of the data. @throws OciError USAGE for a mistake in it. */
export type CompileTemplate = (text: string, fields: readonly string[]) => (data: ImageName) => string;

const fields: readonly (keyof ImageName)[] = ['Registry', 'Host', 'Path', 'Name', 'Tag'];

/** Reads a name, which may be a template. @throws OciError CONFIG_INVALID */
export function nameRule({ value, origin }: Sourced<string>, compile: CompileTemplate): NameRule {
  const render = at(origin, () => compile(value, fields));
  return {
    origin,
    text: value,
    nameOf(image) {
      const name = at(origin, () => render(image));
      if (name !== '' && !/[\s\p{Cc}]/u.test(name)) return name;
      throw configError(origin, `${quote(value)} gives ${quote(name)} for ${image.Path}, which is not a name`);
    },
  };
}

/** Reads a name that may also be a prefix: below it, images keep their full names. @throws OciError CONFIG_INVALID */
export function destinationRule({ value, origin }: Sourced<string>, compile: CompileTemplate): NameRule {
  if (value.includes('{{')) return nameRule({ value, origin }, compile);
  const parts = splitName(value);
  const prefix = value.replace(/\/+$/, '');
  // A repository takes no colon; the name of an image in a layout does.
  const name = parts ? '{{.Registry}}/{{.Path}}' : '{{.Host}}/{{.Path}}';
  const separator = parts && parts.name === undefined ? ':' : '/';
  return { ...nameRule({ value: `${prefix}${separator}${name}`, origin }, compile), text: value };
}

/** A name as it is. */
export function fixedName({ value, origin }: Sourced<string>): NameRule {
  return { origin, text: value, nameOf: () => value };
}

/** The fields for an image. @param tag Undefined for an image that is named by its digest. */
export function imageName(domain: string, path: RepositoryName, tag: Tag | undefined): ImageName {
  const [host = ''] = toStoreName({ domain, path }).split('/');
  return { Registry: domain, Host: host, Path: path, Name: path.split('/').at(-1) ?? '', Tag: tag ?? '' };
}
