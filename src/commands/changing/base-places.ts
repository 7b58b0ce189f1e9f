/** Opens the bases of an image: those that are named, or that its annotations say. */
import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { kindOf } from '../../places/places.ts';
import { hostOf } from '../copy/dest-creds.ts';
import type { ResultFlags } from './write-result.ts';

/** @param source Whose credentials are used for a base in the same registry. */
export async function openBase(
  word: string,
  source: Place,
  options: Pick<ResultFlags, 'srcCreds'>,
  context: Context,
): Promise<Place> {
  const isSameHost = source.hosted !== undefined && hostOf(word) === source.hosted.domain;
  return await context.openPlace(word, 'source', { ...options, creds: isSameHost ? options.srcCreds : undefined });
}

/** A name that an annotation says. It names a registry, whatever it looks like. @throws OciError UNSUPPORTED */
export function registryName(name: string): string {
  if (kindOf(name).hasRepository && kindOf(name).prefix === '') return name;
  throw new OciError('UNSUPPORTED', 'the annotation org.opencontainers.image.base.name names no image of a registry', {
    hint: 'name the base',
  });
}
