/** Writes what an edit made, and tells what it means for what refers to the image. */

import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import type { Edited } from '../../edit/edit-root.ts';
import type { Orphan } from '../../edit/orphans.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { formatPlatform } from '../../model/platform/platform.ts';
import { visible } from '../../model/quote.ts';
import { formatJson } from '../../terminal/json.ts';
import type { ProgressMode } from '../../terminal/progress/progress.ts';
import type { TransferRoot } from '../../transfer/transfer.ts';
import { hostOf } from '../copy/dest-creds.ts';
import { takesForeignLayers } from '../copy/image.ts';
import { openJudged } from '../moving/judged.ts';
import { runBatch, withProgress } from '../moving/run-batch.ts';

/** The flags of {@link resultOptions}. */
export interface ResultFlags extends ServiceFlags {
  readonly quiet: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode | undefined;
  /** Needed: whatever is read to be changed is judged. */
  readonly policy: string | undefined;
  readonly srcCreds?: string | undefined;
  readonly destCreds?: string | undefined;
}

/** Opens the image, which a policy has judged. @throws OciError UNTRUSTED */
export async function openSource(word: string, options: ResultFlags, context: Context): Promise<Place> {
  return await openJudged(word, { ...options, creds: options.srcCreds }, context);
}

/** Opens the place of the result. Nothing is written there yet. */
export async function openResult(
  word: string,
  source: Place | undefined,
  options: ResultFlags,
  context: Context,
): Promise<Place> {
  const host = hostOf(word);
  const isSameHost = host !== undefined && host === source?.hosted?.domain;
  const creds = options.destCreds ?? (isSameHost ? options.srcCreds : undefined);
  const destination = await context.openPlace(word, 'destination', { ...options, creds });
  if (source?.replaced === undefined || source.replaced !== destination.replaced) return destination;
  await destination[Symbol.asyncDispose]();
  throw new OciError('USAGE', `${source.repository} is read, and would be replaced as a whole`, {
    hint: 'write to another file or directory',
  });
}

/** What is written. */
interface Result extends Pick<Edited, 'blobs' | 'manifests'> {
  readonly root: Manifest;
}

/** Where a result is taken from, beside what was made. */
export type ResultSource = Pick<Place, 'registry' | 'repo' | 'sparse' | 'mountFrom'>;

/** Sends a result, and shows how far it is. */
export async function sendResult(
  result: Result,
  {
    source,
    destination,
  }: {
    readonly source?: (Omit<ResultSource, 'mountFrom'> & Partial<ResultSource>) | undefined;
    readonly destination: Place;
  },
  options: ResultFlags,
  context: Context,
): Promise<Descriptor> {
  const { editedSource, mountUnchanged, oneImageOf } = await import('../../edit/edited-source.ts');
  const { progress: mode, quiet } = options;
  const { signal } = context;
  const under = source ?? { repo: destination.repo };
  const whole = editedSource(result, under);
  const isOne = destination.platform !== undefined && result.root.view.kind === 'index';
  const from = isOne && destination.platform ? await oneImageOf(whole, destination.platform, { signal }) : whole;
  const mountFrom = destination.hosted && (await source?.mountFrom?.(destination.hosted));
  const root: TransferRoot = {
    from,
    to: {
      ...destination,
      host: destination.hosted?.domain,
      tags: destination.tag === undefined ? [] : [destination.tag],
    },
    mountFrom: mountUnchanged(mountFrom, result.blobs),
    whole: true,
    foreignLayers: takesForeignLayers(destination) ? 'copy' : 'skip',
  };
  const route = (): string => `to ${destination.name}`;
  const display = { mode, quiet, action: 'push' as const, name: destination.name, route };
  const sent = await withProgress(context, display, async (progress) => {
    const parallelBlobs = await context.parallelUploads();
    const planned = { root };
    return await runBatch(context, { progress, parallelBlobs }, (batch) => batch.move(async () => planned));
  });
  await destination.finish();
  return sent.result.root;
}

/**
 * Writes an edited image, and prints its digest.
 *
 * @param places.from Where its parts are, if not at the source alone.
 */
export async function writeEdited(
  edited: Edited,
  places: {
    readonly source: Place | undefined;
    readonly destination: Place;
    readonly from?: (Omit<ResultSource, 'mountFrom'> & Partial<ResultSource>) | undefined;
  },
  options: ResultFlags,
  context: Context,
): Promise<void> {
  const { source, destination } = places;
  if (source) tellLeftOut(edited, source, context);
  const looking = source && lookForOrphans(source, edited.replaced.keys(), context);
  const { digest, mediaType, size } = await sendResult(
    edited,
    { source: places.from ?? source, destination },
    options,
    context,
  );
  const orphans = (await looking?.()) ?? [];
  const replaced = [...edited.replaced].map(([before, after]) => ({ before, after }));
  const reference = `${destination.repository}@${digest}`;
  const record = { reference, digest, mediaType, size, changed: replaced.length > 0, replaced, orphans };
  await context.terminal.out(`${options.json ? formatJson(record) : digest}\n`);
}

/** Begins to look for what refers to manifests that were replaced. @returns What waits for it, and tells what was found. */
export function lookForOrphans(
  source: Place,
  replaced: Iterable<Digest>,
  { signal, terminal }: Context,
): () => Promise<readonly Orphan[]> {
  const looking = import('../../edit/orphans.ts').then(({ findOrphans }) => findOrphans(source, replaced, { signal }));
  looking.catch(() => {}); // reported below
  return async () => {
    const { found, failure } = await looking;
    if (failure) terminal.warn(`it is not known whether signatures refer to ${source.name}: ${failure.message}`);
    const names = found.map(({ name, artifactType }) =>
      artifactType === undefined ? name : `${name} (${artifactType})`,
    );
    if (found.length > 0) {
      terminal.note(
        `${source.name}: what refers to it as it was does not hold for the result: ${visible(names.join(', '))}`,
      );
    }
    return found;
  };
}

function tellLeftOut({ attestations, absent }: Edited, { name }: Place, { terminal }: Context): void {
  if (attestations.length > 0) {
    const digests = attestations.map(({ digest }) => digest).join(', ');
    terminal.note(`${name}: attestations of images that changed are left out of the index: ${digests}`);
  }
  if (absent.length > 0) {
    const names = absent.map(({ platform, digest }) => (platform ? formatPlatform(platform) : digest)).join(', ');
    terminal.note(`${name}: images that its index names and that are not there are left out of the result: ${names}`);
  }
}
