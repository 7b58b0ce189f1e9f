/** Opens the bases of an image: those that are named, or that its annotations say. */
import type { Context, Place } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { kindOf } from '../../places/places.ts';
import { hostOf } from '../copy/dest-creds.ts';
import { openJudged } from '../moving/judged.ts';
import type { ResultFlags } from './write-result.ts';

/**
 * @param source Whose credentials are used for a base in the same registry.
 * @param options With `policy`, given or not, the image for the platform is judged.
 * @throws OciError UNTRUSTED
 */
export async function openBase(
  word: string,
  source: Place,
  options: Partial<ResultFlags>,
  context: Context,
  platform?: Platform,
): Promise<Place> {
  const isSameHost = source.hosted !== undefined && hostOf(word) === source.hosted.domain;
  const flags = { ...options, creds: isSameHost ? options.srcCreds : undefined };
  return await openJudged(word, flags, context, platform && [platform]);
}

/** A name that an annotation says. It names a registry, whatever it looks like. @throws OciError UNSUPPORTED */
export function registryName(name: string): string {
  if (kindOf(name).hasRepository && kindOf(name).prefix === '') return name;
  throw new OciError('UNSUPPORTED', 'the annotation org.opencontainers.image.base.name names no image of a registry', {
    hint: 'name the base',
  });
}
