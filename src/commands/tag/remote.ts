/** `tag --remote`: sets further tags for an image in its registry. */

import type { Context, ServiceFlags } from '../../app/context.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  manifestReference,
  parseReference,
  parseTag,
  type Tag,
  withDefaultTag,
} from '../../model/reference/reference.ts';
import { refuseMisread } from '../../places/misread.ts';
import { formatJson } from '../../terminal/json.ts';
import { reportOne } from '../../terminal/report.ts';
import { forEveryTag, throwFailures } from '../moving/every-tag.ts';

/**
 * Reads the manifest once and writes it under each tag, without reading any blob.
 *
 * @param word The image, by tag or digest.
 * @param words The tags.
 * @throws OciError USAGE for a word that is not just a tag; REFUSED if the registry does not allow moving a tag.
 */
export async function tagRemote(
  word: string,
  words: readonly string[],
  options: ServiceFlags & { readonly json: boolean },
  { terminal, signal, service }: Context,
): Promise<void> {
  refuseMisread(word, 'image');
  const reference = withDefaultTag(parseReference(word));
  const tags = [...new Set(words.map((each) => parseBareTag(each, word)))];
  const registry = await (await service(options)).open(reference, 'push');
  const { path } = reference;
  const { mediaType, bytes, descriptor } = await registry.getManifest(path, manifestReference(reference), {
    beforePush: true,
    signal,
  });
  const { digest } = descriptor;
  const name = familiarName(reference);
  const failures = new Map<string, OciError>();
  const set: Tag[] = [];
  const put = (tag: Tag): Promise<unknown> =>
    registry.pushManifest(path, { mediaType, bytes }, { tags: [tag], digest, signal });
  for await (const { tag, error } of forEveryTag(tags, put)) {
    if (error) {
      failures.set(tag, error);
      if (tags.length > 1) reportOne(`${name}:${tag}`, error, terminal);
      continue;
    }
    set.push(tag);
    if (!options.json) await terminal.out(`Tagged: ${name}:${tag}\n`);
  }
  if (options.json && set.length > 0) {
    await terminal.out(`${formatJson({ reference: formatReference(reference), digest, mediaType, tags: set })}\n`);
  }
  const hint = `the others are at ${familiarReference({ ...reference, digest })}`;
  throwFailures(failures, { count: tags.length, what: 'set', hint });
}

function parseBareTag(word: string, source: string): Tag {
  if (/[:/@]/.test(word)) {
    throw new OciError('USAGE', `--remote takes tags only, but ${quote(word)} is a name`, {
      hint: `to copy it to another repository: ocictl copy ${source} ${word}`,
    });
  }
  try {
    return parseTag(word);
  } catch (error) {
    if (!isOciError(error)) throw error;
    throw new OciError('USAGE', error.message, { hint: error.hint, cause: error });
  }
}
