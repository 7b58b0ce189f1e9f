import type { Context } from '../../app/context.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { compressionOf } from './layer-options.ts';
import { targetOf } from './options.ts';
import { openResult, openSource, type ResultFlags, writeEdited } from './write-result.ts';

interface Squash {
  readonly word: string;
  readonly platforms: readonly Platform[] | undefined;
  /** From 1. */
  readonly from: number;
  readonly createdBy: string;
}

/** Makes one layer of those from a number on, writes the result, and prints its digest. */
export async function squashImage(
  { word, platforms, from, createdBy }: Squash,
  options: ResultFlags & { readonly tag: string | undefined; readonly compress: string | undefined },
  context: Context,
): Promise<void> {
  const target = targetOf(options.tag);
  const compression = compressionOf(options.compress);
  const [{ editRoot }, { squashLayers }] = await Promise.all([
    import('../../edit/edit-root.ts'),
    import('../../edit/squash.ts'),
  ]);
  const { signal, terminal } = context;
  await using source = await openSource(word, options, context);
  await using destination = await openResult(target, source, options, context);
  const { registry, repo } = source;
  const settings = {
    ...{ registry, repo, from, createdBy, compression, signal },
    remote: source.hosted !== undefined,
    onSkip: (text: string) => terminal.warn(text),
  };
  using edited = await readFrom(source, () =>
    editRoot(source, { platforms, signal, edit: (draft) => squashLayers(draft, settings) }),
  );
  await writeEdited(edited, { source, destination }, options, context);
}
