import type { LocalImage } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { parsePatterns } from '../command-line/option-values.ts';

/** Whether an image is selected. */
export type ImageFilter = (image: LocalImage) => boolean;

const hint = 'the filters are reference=PATTERN, dangling=true and dangling=false';

/**
 * Reads Docker's filters: patterns of `reference`, of which one must match, and `dangling`, which means without a tag.
 *
 * @throws OciError USAGE
 */
export function parseImageFilters(words: readonly string[]): ImageFilter {
  const patterns: string[] = [];
  let dangling: boolean | undefined;
  for (const word of words) {
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(word) ?? [];
    if (name === '') throw new OciError('USAGE', `bad format of filter ${quote(word)} (expected name=value)`, { hint });
    if (name === 'reference') patterns.push(value);
    else if (name === 'dangling' && /^(?:true|false|1|0)$/.test(value)) dangling = value === 'true' || value === '1';
    else throw new OciError('USAGE', `invalid filter ${quote(name === 'dangling' ? word : name)}`, { hint });
  }
  const fits = parsePatterns('reference', patterns);
  return ({ name, tag }) => {
    if (dangling !== undefined && dangling !== (tag === undefined)) return false;
    return fits(name) || fits(`${name}:${tag ?? ''}`);
  };
}
