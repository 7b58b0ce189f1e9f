import type { Context } from '../../app/context.ts';
import type { Edit } from '../../edit/edit-root.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { targetOf } from './options.ts';
import { openResult, openSource, type ResultFlags, writeEdited } from './write-result.ts';

interface Change {
  readonly word: string;
  readonly platforms?: readonly Platform[] | undefined;
  readonly edit: Edit;
}

/** Changes the image that a word names, writes the result, and prints its digest. */
export async function changeImage(
  { word, platforms, edit }: Change,
  options: ResultFlags & { readonly tag: string | undefined },
  context: Context,
): Promise<void> {
  const target = targetOf(options.tag);
  const { editRoot } = await import('../../edit/edit-root.ts');
  const { signal } = context;
  await using source = await openSource(word, options, context);
  await using destination = await openResult(target, source, options, context);
  using edited = await readFrom(source, () => editRoot(source, { edit, platforms, signal }));
  await writeEdited(edited, { source, destination }, options, context);
}
