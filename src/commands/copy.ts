import type { Context, Place } from '../app/context.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import type { Tag } from '../model/reference/reference.ts';
import { readFrom } from '../places/place.ts';
import { kindOf, sidesHelp } from '../places/places.ts';
import { foreignLayers, leases } from '../registry/extensions.ts';
import { formatJson } from '../terminal/json.ts';
import { naming } from '../transfer/graph.ts';
import { resolveImage } from '../transfer/platforms.ts';
import { choosePushed, reducedNote } from '../transfer/pushed.ts';
import { Slots } from '../transfer/slots.ts';
import { digestAt, type TransferOptions } from '../transfer/transfer.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { credentialOptions, jsonOption, serviceOptions } from './command-line/options.ts';
import { LatePlace } from './copy/late-place.ts';
import { forEveryTag, throwFailures } from './moving/every-tag.ts';
import { runTransfer } from './moving/run-transfer.ts';

export const copy = defineCommand({
  name: 'copy',
  summary: 'Copy an image from one place to another, unchanged',
  description:
    `Places are ${sidesHelp()}. An index is copied\n` +
    'whole, with attestations, unless --platform chooses: one platform is copied as that image alone; several as the index\n' +
    'with these images, to layouts and the store, as a registry takes no index without its images. Where one image of an\n' +
    'index alone was pulled, it is copied in its stead, as push does. No byte changes, so digests stay. What the destination\n' +
    'has is not sent. The full name of the destination is printed.',
  arguments: [
    { label: 'SOURCE', summary: 'Where it is', arity: 'one', completes: 'image' },
    { label: 'DESTINATION', summary: 'Where it shall be', arity: 'one', completes: 'image' },
  ],
  options: {
    platform: list('--platform <os/arch>', 'Platforms to copy, comma-separated, or all'),
    all: flag('--all', 'Copy all images of an index, and fail where the source lacks some'),
    allTags: flag('-a, --all-tags', 'Copy every tag of the repository; name the repositories alone'),
    ifAbsent: flag('--if-absent', 'Refuse to overwrite a tag that points at something else'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    ...serviceOptions,
    srcCreds: value(
      '--src-creds <user:password>',
      'Credentials for the source; others on this machine can see them here',
    ),
    destCreds: value('--dest-creds <user:password>', 'Credentials for the destination, likewise'),
    anonymous: credentialOptions.anonymous,
  },
  examples: [
    { text: 'Between registries', command: 'copy alpine:3.20 registry.example.com/base/alpine:3.20' },
    { text: 'All tags', command: 'copy --all-tags alpine registry.example.com/base/alpine' },
    { text: 'Into a directory', command: 'copy registry.example.com/team/app:1 oci:app:1' },
  ],
  async run({ words, options }, context) {
    const [sourceWord = '', destinationWord = ''] = words;
    const toWhole = kindOf(destinationWord).incomplete === 'never';
    const platforms = choosePlatforms(options.platform, options.all, toWhole);
    const insists = options.all || options.platform.includes('all');
    const { ifAbsent, quiet } = options;
    const wish: Wish = { platforms, insists, ifAbsent, toWhole, quiet };
    const { terminal } = context;
    const print = async ({ name, json }: Copied): Promise<void> =>
      terminal.out(`${options.json ? formatJson(json) : name}\n`);
    const role = options.allTags ? 'repository' : 'source';
    await using source = await context.openPlace(sourceWord, role, { ...options, creds: options.srcCreds });
    await using destination = new LatePlace(() =>
      context.openPlace(destinationWord, 'destination', { ...options, creds: options.destCreds }),
    );
    if (!options.allTags) {
      const copied = await copyImage(source, () => destination.open(), wish, context);
      await destination.finish();
      return print(copied);
    }
    refuseTag(source);
    const blobSlots = new Slots(largeImages * (await context.parallelDownloads()));
    const copyTag = (tag: Tag): Promise<Copied> => {
      const openTag = async (): Promise<Place> => refuseTag(await destination.open()).at(tag);
      return copyImage(source.at(tag), openTag, { ...wish, blobSlots, quiet: true }, context);
    };
    const failures = new Map<string, OciError>();
    let count = 0;
    const tags = source.registry.tags(source.repo, { signal: context.signal });
    for await (const outcome of forEveryTag(tags, copyTag)) {
      count += 1;
      if (outcome.error === undefined) await print(outcome.result);
      else {
        failures.set(outcome.tag, outcome.error);
        terminal.note(`${source.at(outcome.tag).name}: ${outcome.error.message}`);
      }
    }
    if (failures.size < count) await destination.finish();
    if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${source.repository} has no tags to copy`);
    throwFailures(failures, { count, what: 'copied', hint: 'the others are at the destination' });
  },
});

/** Of all tags, blobs move at once as if for so many. */
const largeImages = 3;

interface Wish {
  /** None: the whole index. */
  readonly platforms: readonly Platform[];
  /** Whether images that the source lacks are an error. */
  readonly insists: boolean;
  readonly ifAbsent: boolean;
  /** Whether the destination has every manifest with all that it names, which is known before it is opened. */
  readonly toWhole: boolean;
  readonly quiet: boolean;
  /** Shared by all tags. */
  readonly blobSlots?: Slots;
}

interface Copied {
  /** The full name of the destination. */
  readonly name: string;
  readonly json: unknown;
}

async function copyImage(
  source: Place,
  openDestination: () => Promise<Place>,
  { platforms, insists, ifAbsent, toWhole, quiet, blobSlots }: Wish,
  context: Context,
): Promise<Copied> {
  const { terminal, signal } = context;
  const open = async (): Promise<Place> => refuseItself(source, await openDestination());
  const whole = toWhole ? await open() : undefined;
  const there = whole && (await digestAt(whole, whole.reference, signal));
  const chosen = await resolveRoot(source, insists ? 'all' : platforms, { toWhole, there }, signal);
  const destination = whole ?? (await open());
  const asPulled = destination.kind.incomplete === 'usual';
  const reduced = asPulled ? undefined : chosen.reduced;
  const { root, manifest } = reduced ?? chosen;
  if (reduced !== undefined) terminal.note(reduced.note);
  if (ifAbsent)
    refuseOther(root, whole ? there : await digestAt(destination, destination.reference, signal), destination);
  const { digest, mediaType } = root;
  const done = (changed: boolean, transferredBytes: number): Copied => ({
    name: destination.fullName,
    json: { destination: destination.fullName, digest, mediaType, changed, transferredBytes },
  });
  // Then all that it names is there, too.
  if (digest === there) return done(false, 0);
  await using _lease = await destination.registry.extension(leases)?.lease({ signal });
  const { changed, omitted, transferredBytes } = await runTransfer(context, {
    from: { ...source, reference: root.digest, root, manifest },
    to: { ...destination, tags: destination.tag === undefined ? [] : [destination.tag] },
    mountFrom: destination.hosted && (await source.mountFrom(destination.hosted)),
    ...(platforms.length > 1 ? { platforms, requirePlatform: true } : { whole: insists || !asPulled }),
    foreignLayers: takesForeignLayers(destination) ? 'copy' : 'skip',
    parallelBlobs: await context.parallelDownloads(),
    blobSlots,
    title: `copying ${source.name} to ${destination.name}`,
    quiet,
  });
  if (omitted.length > 0 && platforms.length === 0) {
    terminal.note(`${source.name} lacks images that its index names, so the copy lacks them too: ${naming(omitted)}`);
  }
  return done(changed, transferredBytes);
}

/** @throws OciError USAGE */
function refuseItself(source: Place, destination: Place): Place {
  if (source.identity !== destination.identity) return destination;
  throw new OciError('USAGE', `source and destination are both ${source.fullName}`, {
    hint: 'name another tag, repository or directory for one of them',
  });
}

/** @throws OciError USAGE where a tag or digest was named beside --all-tags. */
function refuseTag(place: Place): Place {
  if (!place.named) return place;
  throw new OciError('USAGE', `tag can't be used with --all-tags/-a: ${place.name}`, {
    hint: 'name the repository alone; all images of one tag are copied without -a, too',
  });
}

/** None: the whole index. @throws OciError USAGE for several, where the destination takes no index without its images. */
function choosePlatforms(words: readonly string[], all: boolean, toWhole: boolean): readonly Platform[] {
  if (all && words.length > 0) {
    throw new OciError('USAGE', 'conflicting options: --all and --platform', { hint: 'leave one of them out' });
  }
  if (words.includes('all')) return [];
  const platforms = words.map(parsePlatform);
  if (platforms.length > 1 && toWhole) {
    throw new OciError('USAGE', 'several platforms can be copied to a layout or the store, and not to a registry', {
      hint: 'a registry takes no index without its images: name one platform, or leave --platform out',
    });
  }
  return platforms;
}

interface ChosenRoot extends Pick<TransferOptions['from'], 'manifest'> {
  readonly root: Descriptor;
  /** The one image of an index that is at the source, and what to say of that. */
  readonly reduced?: Pick<ChosenRoot, 'root' | 'manifest'> & { readonly note: string };
}

function takesForeignLayers({ kind, registry }: Place): boolean {
  return kind.own || registry.extension(foreignLayers)?.accepted === true;
}

/** What is copied: the image of one platform, else what the reference names. */
async function resolveRoot(
  source: Place,
  platforms: readonly Platform[] | 'all',
  { toWhole, there }: { readonly toWhole: boolean; readonly there: Digest | undefined },
  signal: AbortSignal,
): Promise<ChosenRoot> {
  const { registry, repo, reference, name } = source;
  const [platform, another] = platforms === 'all' ? [] : platforms;
  if (platform && !another) return read(await resolveImage(source, platform, { signal }));
  // A look, which no registry counts as a pull, may be all it takes: the destination may have it, a store or layout the
  // manifest.
  if (toWhole && there === undefined && !source.sparse) {
    return read(await readFrom(source, () => registry.getManifest(repo, reference, { signal })));
  }
  const root = await readFrom(source, () => registry.statManifest(repo, reference, { signal }));
  if (platforms === 'all' || another || !source.sparse) return { root };
  const chosen = await choosePushed({ ...source, reference: root.digest }, undefined, { signal });
  const note = reducedNote(name, 'copying', chosen);
  if (note === undefined) return { root };
  return { root, reduced: { root: await registry.statManifest(repo, chosen.digest, { signal }), note } };
}

function read(manifest: Manifest): ChosenRoot {
  return { root: manifest.descriptor, manifest };
}

/** @throws OciError REFUSED where the tag exists with another digest. */
function refuseOther(root: Descriptor, there: Digest | undefined, { name }: Place): void {
  if (there === undefined || there === root.digest) return;
  throw new OciError('REFUSED', `${name} is there already, as ${there}`, {
    hint: 'leave --if-absent out to overwrite it, or choose another tag',
  });
}
