/** Images and indexes whose entries an index gets. */
import type { Context, Place } from '../../app/context.ts';
import type { IndexEntry } from '../../edit/index/entries.ts';
import { OciError } from '../../model/errors.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { formatPlatform, type Platform } from '../../model/platform/platform.ts';
import { readFrom } from '../../places/place.ts';
import { joined } from '../../registry/wrappers/joined.ts';
import { joinedSource } from '../changing/joined-source.ts';
import { openSource, type ResultFlags, type ResultSource } from '../changing/write-result.ts';
import { hostOf } from '../copy/dest-creds.ts';

interface EntryChoice {
  readonly platforms: readonly Platform[] | undefined;
  readonly setPlatform: Platform | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What was read. Disposing it closes the places. */
interface Gathered extends AsyncDisposable {
  readonly entries: readonly IndexEntry[];
  /** What the words name, in their order. */
  readonly manifests: readonly Manifest[];
  /** All of them, to be read by a transfer. */
  from(more?: Place): ResultSource;
}

/** Reads what words name, all at once. @throws OciError what reading throws; USAGE for images that are for one platform. */
export async function gatherEntries(
  words: readonly string[],
  choice: EntryChoice,
  options: ResultFlags,
  context: Context,
): Promise<Gathered> {
  refuseSharedCreds(words, options);
  const { entriesOf, samePlatform } = await import('../../edit/index/entries.ts');
  const { signal } = context;
  const opening = words.map((word) => openSource(word, options, context));
  const close = async (): Promise<void> => {
    const opened = await Promise.allSettled(opening);
    await Promise.allSettled(opened.map((one) => one.status === 'fulfilled' && one.value[Symbol.asyncDispose]()));
  };
  try {
    const read = await Promise.all(
      opening.map(async (place) => {
        const source = await place;
        return await readFrom(source, async () => {
          const manifest = await source.registry.getManifest(source.repo, source.reference, { signal });
          return { source, manifest, entries: await entriesOf(manifest, source, { ...choice, signal }) };
        });
      }),
    );
    const entries = read.flatMap((one) => one.entries);
    const [first, second] = samePlatform(entries) ?? [];
    if (first?.platform && second) {
      throw new OciError(
        'USAGE',
        `two images are for ${formatPlatform(first.platform)}: ${first.digest} and ${second.digest}`,
        { hint: 'leave one of them out: no program could choose between them' },
      );
    }
    return {
      entries,
      manifests: read.map(({ manifest }) => manifest),
      from(more) {
        const places = [...read.map(({ source }) => source), ...(more ? [more] : [])];
        const all = joined(places);
        for (const { manifest, source } of read) all.add(manifest, source);
        return joinedSource(all);
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function refuseSharedCreds(words: readonly string[], { srcCreds }: ResultFlags): void {
  const hosts = new Set(words.flatMap((word) => hostOf(word) ?? []));
  if (srcCreds === undefined || hosts.size < 2) return;
  throw new OciError('USAGE', 'it is not clear which host the --src-creds are for', {
    hint: `log in instead; the images are at ${[...hosts].join(', ')}`,
  });
}
