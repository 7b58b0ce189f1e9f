/** Changes an index where it is, or into another place. */
import { setTimeout } from 'node:timers/promises';
import type { Context, Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { type Manifest, type RawManifest, readManifest } from '../../model/manifest/manifest.ts';
import { quote } from '../../model/quote.ts';
import { readFrom } from '../../places/place.ts';
import { changeUntilItStays } from '../../registry/settled-change.ts';
import { formatJson } from '../../terminal/json.ts';
import {
  lookForOrphans,
  openResult,
  openSource,
  type ResultFlags,
  type ResultSource,
  sendResult,
} from '../changing/write-result.ts';
import { openTarget } from '../moving/open-target.ts';

interface IndexChange {
  readonly word: string;
  /** Changes the index. Changing the result again must give the same. */
  change(before: Manifest): RawManifest;
  /** What is needed beside what the index has, for a place that has the rest. */
  readonly added?: {
    readonly digests: readonly Digest[];
    from(more?: Place): ResultSource;
  };
}

/** Changes an index, and prints its digest. @throws OciError UNSUPPORTED for what is no index; what reading and writing throw. */
export async function changeIndex(
  change: IndexChange,
  options: ResultFlags & { readonly tag: string | undefined },
  context: Context,
): Promise<void> {
  const { tag, json } = options;
  const isElsewhere = tag !== undefined && tag !== change.word;
  const { reference, digest, mediaType, size } = isElsewhere
    ? await changeInto(tag, change, options, context)
    : await changeInPlace(change, options, context);
  await context.terminal.out(`${json ? formatJson({ reference, digest, mediaType, size }) : digest}\n`);
}

async function changeInto(target: string, change: IndexChange, options: ResultFlags, context: Context) {
  await using source = await openSource(change.word, options, context);
  await using destination = await openResult(target, source, options, context);
  const { signal } = context;
  const before = await readFrom(source, () => source.registry.getManifest(source.repo, source.reference, { signal }));
  const root = await readManifest(change.change(indexOf(before, source)));
  const from = change.added ? change.added.from(source) : source;
  const result = { root, manifests: [root], blobs: [] };
  const sent = await sendResult(result, { source: from, destination }, options, context);
  return { ...sent, reference: `${destination.repository}@${sent.digest}` };
}

async function changeInPlace(change: IndexChange, options: ResultFlags, context: Context) {
  const creds = options.destCreds ?? options.srcCreds;
  await using place = await openTarget(change.word, { ...options, creds }, context);
  const { registry, repo, tag } = place;
  const { signal } = context;
  if (tag === undefined) throw new OciError('USAGE', `${change.word} names no tag that could move`);
  const read = async (): Promise<Manifest> =>
    indexOf(await readFrom(place, () => registry.getManifest(repo, tag, { signal })), place);
  let before = await read();
  const first = before.descriptor.digest;
  if (change.added) await bring(change.added, place, options, context);
  const write = async (): Promise<boolean> => {
    before = await read();
    const raw = change.change(before);
    if (Buffer.compare(raw.bytes, before.bytes) === 0) return false;
    const { descriptor } = await readManifest(raw);
    await registry.pushManifest(repo, raw, { tags: [tag], digest: descriptor.digest, sparse: true, signal });
    return true;
  };
  await changeUntilItStays(place.name, write, (ms) => setTimeout(ms, undefined, { signal }));
  await place.finish();
  const { descriptor } = before;
  await lookForOrphans(place, first === descriptor.digest ? [] : [first], context)();
  return { ...descriptor, reference: `${place.repository}@${descriptor.digest}` };
}

/** Brings what is added to where the index is, without a tag. */
async function bring(
  added: NonNullable<IndexChange['added']>,
  place: Place,
  options: ResultFlags,
  context: Context,
): Promise<void> {
  const source = added.from();
  const untagged = { ...place, tag: undefined, finish: async () => {} };
  for (const digest of added.digests) {
    const root = await source.registry.getManifest(source.repo, digest, { signal: context.signal });
    await sendResult({ root, manifests: [root], blobs: [] }, { source, destination: untagged }, options, context);
  }
}

function indexOf(manifest: Manifest, { name }: Place): Manifest {
  if (manifest.view.kind === 'index') return manifest;
  throw new OciError('UNSUPPORTED', `${name} is no index: it has the type ${quote(manifest.mediaType)}`, {
    hint: 'ocictl index create makes one of images',
  });
}
