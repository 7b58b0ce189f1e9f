import type { LocalImage } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

/** Whether an image is wanted. */
export type ImageFilter = (image: LocalImage) => boolean;

const hint = 'the filters are reference=PATTERN, dangling=true and dangling=false';

/**
 * Reads Docker's filters: patterns of `reference`, of which one must fit, and `dangling`, an image without a tag.
 *
 * @throws OciError USAGE
 */
export function parseImageFilters(words: readonly string[]): ImageFilter {
  const patterns: RegExp[] = [];
  let dangling: boolean | undefined;
  for (const word of words) {
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/s.exec(word) ?? [];
    if (name === '') throw new OciError('USAGE', `bad format of filter ${quote(word)} (expected name=value)`, { hint });
    if (name === 'reference') patterns.push(globOf(value));
    else if (name === 'dangling' && /^(?:true|false|1|0)$/.test(value)) dangling = value === 'true' || value === '1';
    else throw new OciError('USAGE', `invalid filter ${quote(name === 'dangling' ? word : name)}`, { hint });
  }
  return ({ name, tag }) => {
    if (dangling !== undefined && dangling !== (tag === undefined)) return false;
    return patterns.length === 0 || patterns.some((glob) => glob.test(name) || glob.test(`${name}:${tag ?? ''}`));
  };
}

// As Go's path.Match: `*` and `?` stop at a slash.
function globOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|\\[\]]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${source}$`);
}
