import { indexName, validateIndexName } from '../../config/docker/index-name.ts';
import type { Resolve } from '../../endpoints/host-match.ts';
import { checkArgument, checkOptions } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import { show } from '../../model/reference/reference-grammar.ts';
import { unconfiguredIndex } from '../repository-info.ts';
import type { IndexInfo } from '../service-config.ts';

/** What is searched for, and where. */
export interface SearchTerm {
  /** `docker.io` or `host[:port]`. */
  readonly index: string;
  /** Without the host; Docker Hub's own `library/` is removed. */
  readonly query: string;
}

/**
 * Splits a search term into host and query. The text before the first slash is a host only if it contains a dot or a
 * colon, or is `localhost`.
 *
 * @throws OciError USAGE for a term with a scheme, CONFIG_INVALID for a host with a hyphen at either end.
 */
export function splitSearchTerm(text: string): SearchTerm {
  if (/^https?:\/\//i.test(text)) {
    throw new OciError('USAGE', `invalid search term ${show(text)}: it should not have a scheme`, {
      hint: 'write HOST/TERM, without https://',
    });
  }
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  if (slash === -1 || !(/[.:]/.test(first) || first === 'localhost')) return hubTerm(text);
  const index = validateIndexName(first);
  const rest = text.slice(slash + 1);
  return index === indexName ? hubTerm(rest) : { index, query: rest };
}

/** The registry that a search term is for, without any configuration. @throws OciError as {@link splitSearchTerm} */
export async function parseSearchIndexInfo(
  text: string,
  opts: { readonly resolve?: Resolve | undefined } = {},
): Promise<IndexInfo> {
  checkArgument('parseSearchIndexInfo', 'the text', text, 'string');
  checkOptions('parseSearchIndexInfo', opts, { resolve: 'function' });
  const { index: name } = splitSearchTerm(text);
  return unconfiguredIndex(name, opts.resolve);
}

function hubTerm(text: string): SearchTerm {
  return { index: indexName, query: text.replace(/^library\//, '') };
}
