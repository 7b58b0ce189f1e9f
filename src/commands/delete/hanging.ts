/** Tells what hangs on manifests that are deleted, and stays behind without them. */
import type { Place } from '../../app/context.ts';
import { referrersTree } from '../../artifacts/tree/referrers-tree.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { counted } from '../../terminal/format.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** What hangs on a manifest directly: its referrers, and what is tagged with its digest. */
export interface Hanging {
  /** Of the manifest, in the form that is shown. */
  readonly name: string;
  /** In that form too. */
  readonly names: readonly string[];
  /** How many referrers there are, by artifact type. */
  readonly types: ReadonlyMap<string, number>;
  readonly tags: readonly Tag[];
  /** Why not all of it is known. */
  readonly failure: OciError | undefined;
}

/** Asks for the list of referrers and for each tag. Entries of lists that clients write are read. A failure is part of the result. */
export async function whatHangsOn(place: Place, root: Descriptor, signal: AbortSignal): Promise<Hanging> {
  const { repository } = place;
  const names: string[] = [];
  const types = new Map<string, number>();
  const tags: Tag[] = [];
  let failure: OciError | undefined;
  try {
    for await (const node of referrersTree(place, root, { depth: 1, children: false, signal })) {
      if (node.tag !== undefined) {
        tags.push(node.tag);
        continue;
      }
      const { artifactType = 'of no type' } = node;
      names.push(`${repository}@${node.descriptor.digest}`);
      types.set(artifactType, (types.get(artifactType) ?? 0) + 1);
    }
  } catch (error) {
    if (!(error instanceof OciError) || signal.aborted) throw error;
    failure = error;
  }
  tags.sort();
  names.push(...tags.map((tag) => `${repository}:${tag}`));
  return { name: `${repository}@${root.digest}`, names, types, tags, failure };
}

const maxShown = 5;
const maxTypeLength = 100;

/** Says on stderr what stays behind, if anything does. */
export function noteHanging(all: readonly Hanging[], terminal: Terminal): void {
  for (const { name, failure } of all) {
    if (failure) terminal.note(`not all that hangs on ${name} is known, and it stays behind: ${failure.message}`);
  }
  const types = new Map<string, number>();
  for (const each of all) for (const [type, count] of each.types) types.set(type, (types.get(type) ?? 0) + count);
  const tags = all.flatMap((each) => each.tags);
  const count = [...types.values()].reduce((sum, each) => sum + each, 0);
  const kinds = [...types]
    .sort(([, a], [, b]) => b - a)
    .map(([type, many]) => `${many} ${type.slice(0, maxTypeLength)}`);
  const parts = [
    ...(count > 0 ? [`${counted(count, 'referrer')} (${shortened(kinds)})`] : []),
    ...(tags.length > 0 ? [`${tags.length === 1 ? 'the tag' : `${tags.length} tags`} ${shortened(tags)}`] : []),
  ];
  if (parts.length === 0) return;
  const whose = all.length === 1 ? all[0]?.name : `${all.length} manifests`;
  terminal.note(`what hangs on ${whose} stays behind: ${parts.join(' and ')}; --referrers deletes it too`);
}

function shortened(words: readonly string[]): string {
  const more = words.length - maxShown;
  return words.slice(0, maxShown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
