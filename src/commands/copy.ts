import type { Place } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import type { Tag } from '../model/reference/reference.ts';
import { kindOf, sidesHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import type { ProgressOptions } from '../terminal/progress/progress.ts';
import { defineCommand, flag, list, value, values } from './command-line/command.ts';
import { differs } from './command-line/exit-status.ts';
import { credentialOptions, jsonOption, policyOption, progressOption, serviceOptions } from './command-line/options.ts';
import { copyAllTags } from './copy/all-tags.ts';
import { chooseRootOnce } from './copy/choose-root.ts';
import { compressions, imageFormats, parseConversion, refuseBesideConversion } from './copy/conversion.ts';
import { destinationCreds } from './copy/dest-creds.ts';
import { type Copied, conclude, planCopy, type Wish, withSparseTold } from './copy/image.ts';
import type { Copies } from './copy/items.ts';
import { type Destination, LatePlace } from './copy/late-place.ts';
import { tellLeftBehind } from './copy/left-behind.ts';
import type { CopyPlan, PlanOptions } from './copy/plan-file.ts';
import { runBatch, withProgress } from './moving/run-batch.ts';

export const copy = defineCommand({
  name: 'copy',
  summary: 'Copy an image from one place to another',
  description:
    `Places are ${sidesHelp()}.\n` +
    'An index is copied whole, with attestations, unless --platform chooses: one platform is copied as that image alone.\n' +
    'Several are copied as an index with these images: layouts and the store keep the index as it is, a registry gets a\n' +
    'smaller one, because it takes no index without its images; both digests are told. If only one image of an index was\n' +
    'pulled, that image is copied instead, as push does. Otherwise no byte changes, and digests stay the same, unless\n' +
    '--image-format or --compress says what to change. What the destination already has is not sent. The full name of the\n' +
    'destination is printed. Several destinations read the source once; one that fails or is slow does not stop the others.\n' +
    'What refers to an image stays behind without --referrers and --digest-tags.',
  arguments: [
    { label: 'SOURCE', summary: 'The image to copy', arity: 'optional', completes: 'image', storeToo: true },
    { label: 'DESTINATION', summary: 'Where to copy it, or several places', arity: 'any', completes: 'image' },
  ],
  options: {
    platform: list('--platform <os/arch>', 'Platforms to copy, comma-separated, or all'),
    sparse: flag(
      '--sparse',
      'With --platform: copy the index unchanged, where the destination takes it without its images',
    ),
    all: flag('--all', 'Copy all images of an index, and fail if the source lacks some'),
    allTags: flag('-a, --all-tags', 'Copy every tag of the repository; name the repositories without tags'),
    referrers: flag('--referrers', 'Copy what refers to the image and to the images of an index too, as signatures do'),
    digestTags: flag('--digest-tags', 'Copy what cosign keeps under sha256-….sig, .att and .sbom tags too'),
    ifAbsent: flag('--if-absent', 'Refuse to overwrite a tag that points at something else'),
    imageFormat: value('--image-format <format>', 'Change the format of manifests: oci or docker; the image ID stays', {
      choices: imageFormats,
    }),
    compress: value(
      '--compress <compression>',
      'Compress layers again: gzip, zstd or none, with a level as in zstd:9',
      {
        choices: compressions,
      },
    ),
    replace: flag('--replace', 'With --all-tags: overwrite tags of a layout that point at something else'),
    check: flag('--check', 'Prove afterwards that every manifest and blob is at the destination, with its size'),
    checkBytes: flag('--check-bytes', 'The same, and read all bytes there again to compare their digests'),
    dryRun: flag('--dry-run', 'Print what would be copied, and write nothing; status 12 if something would change'),
    plan: value('--plan <file>', 'Like --dry-run, and keep in this file what would be copied'),
    apply: value('--apply <file>', 'Copy what this plan says, and refuse if the source or a tag has changed since'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    progress: progressOption,
    policy: policyOption,
    ...serviceOptions,
    srcCreds: value(
      '--src-creds <user:password>',
      'Credentials for the source; others on this machine can see them here',
    ),
    destCreds: values(
      '--dest-creds <user:password>',
      'Credentials for the destination, likewise; HOST=USER:PASSWORD where hosts differ, may be repeated',
    ),
    anonymous: credentialOptions.anonymous,
  },
  examples: [
    { text: 'Between registries', command: 'copy alpine:3.20 registry.example.com/base/alpine:3.20' },
    {
      text: 'To several places, read once',
      command: 'copy alpine:3.20 one.example.com/alpine:3.20 two.example.com/alpine:3.20 oci:alpine:3.20',
    },
    { text: 'All tags', command: 'copy --all-tags alpine registry.example.com/base/alpine' },
    { text: 'Into a directory', command: 'copy registry.example.com/team/app:1 oci:app:1' },
    {
      text: 'With signatures, attestations and whatever else refers to it',
      command: 'copy --referrers --digest-tags ghcr.io/team/app:1 registry.example.com/team/app:1',
    },
    {
      text: 'For a registry that only knows the format of Docker',
      command: 'copy --image-format docker --compress gzip oci:app:1 old.example.com/app:1',
    },
    { text: 'All tags under full names', command: 'copy --all-tags alpine oci:images:docker.io/library/alpine' },
  ],
  async run({ words, options: given }, context) {
    const applied = given.apply === undefined ? undefined : await planIn(given.apply);
    if (applied) refuseBeside(words, given);
    const options = { ...given, ...applied?.options };
    const dry = options.dryRun || options.plan !== undefined;
    const keepPlan = options.plan === undefined ? undefined : await planTo(options.plan);
    const [sourceWord, ...destinationWords] = applied ? wordsOf(applied) : words;
    if (sourceWord === undefined || destinationWords.length === 0) throw tooFew(sourceWord);
    const [destinationWord = ''] = destinationWords;
    const toWhole = isWhole(destinationWord);
    const platforms = choosePlatforms(options.platform, options.all, options.sparse);
    const insists = options.all || options.platform.includes('all');
    const { ifAbsent, referrers, digestTags, sparse, quiet, allTags, progress: mode } = options;
    const conversion = parseConversion(options);
    const converts = conversion !== undefined;
    const several = destinationWords.length > 1;
    if (converts) refuseBesideConversion({ ...options, dry, applied: applied !== undefined });
    if (options.replace) refuseReplace(options);
    const check: Wish['check'] = options.checkBytes ? 'bytes' : options.check ? 'sizes' : undefined;
    const wish = { platforms, insists, ifAbsent, referrers, digestTags, sparse, converts, check, toWhole };
    const lineOf = ({ name, json }: Copied): string => (options.json ? formatJson(json) : name);
    const credsFor = destinationCreds(options.destCreds, destinationWords);
    await using source = await context.openPlace(sourceWord, allTags ? 'repository' : 'source', {
      ...options,
      creds: options.srcCreds,
    });
    const destinationAt = (word: string): Destination => ({
      word,
      place: new LatePlace(
        () => context.openPlace(word, 'destination', { ...options, creds: credsFor(word) }),
        context.signal,
      ),
      toWhole: isWhole(word),
      // Tags of a repository are its own; those of a layout may have come from any.
      keepsOthers: !kindOf(word).hasRepository && !options.replace && !ifAbsent,
    });
    const display: ProgressOptions = { mode, quiet, action: 'copy', name: source.name, several: allTags };
    if (several || dry || applied || (allTags && (converts || check))) {
      const destinations = destinationWords.map(destinationAt);
      try {
        const tags = allTags ? await tagsOf(source, applied, wish, context.signal) : undefined;
        const copies: Copies = { source, destinations, tags, wish, choose: chooseRootOnce() };
        if (dry || applied) {
          const { dryRun, refuseChanges } = await import('./copy/dry-run.ts');
          if (applied) await refuseChanges(applied, copies, context);
          if (dry) {
            const planned = await dryRun({ ...copies, json: options.json }, context);
            await keepPlan?.({ source: sourceWord, options: chosenBy(options), copies: planned });
            return planned.some(({ preview }) => preview.changes) ? differs : 0;
          }
        }
        const { copyToEach } = await import('./copy/to-each.ts');
        const route = (): string => (several ? `to ${destinations.length} places` : `to ${destinationWord}`);
        using converter = conversion && (await context.createConverter(conversion));
        const { transform } = converter ?? {};
        const plan = await withProgress(context, { ...display, route }, (progress) =>
          copyToEach({ ...copies, progress, lineOf, transform }, context),
        );
        if (plan && !allTags) await tellLeftBehind(plan, wish, context);
        return 0;
      } finally {
        await Promise.allSettled(destinations.map(({ place }) => place[Symbol.asyncDispose]()));
      }
    }
    const only = destinationAt(destinationWord);
    await using destination = only.place;
    const route = (): string | undefined => {
      const { opened } = destination;
      return opened && `to ${allTags ? opened.repository : opened.name}`;
    };
    if (allTags) {
      await withProgress(context, { ...display, route }, (progress) =>
        copyAllTags(source, only, { ...wish, progress }, context, lineOf),
      );
      return 0;
    }
    await withProgress(context, { ...display, route }, async (progress) => {
      const parallelBlobs = await context.parallelDownloads();
      using converter = conversion && (await context.createConverter(conversion));
      const { transform } = converter ?? {};
      const { plan, result } = await runBatch(context, { progress, parallelBlobs, transform }, (batch) =>
        batch.move(() => planCopy(source, () => destination.open(), wish, context)),
      ).catch((error: unknown) => {
        throw sparse ? withSparseTold(error) : error;
      });
      await destination.finish();
      await tellLeftBehind(plan, wish, context);
      await context.terminal.out(`${lineOf(await conclude(plan, result, wish, context))}\n`);
    });
    return 0;
  },
});

async function planIn(file: string): Promise<CopyPlan> {
  const { readPlan } = await import('./copy/plan-file.ts');
  return await readPlan(file);
}

type KeepPlan = Awaited<ReturnType<typeof import('./copy/plan-file.ts').createPlan>>;

async function planTo(file: string): Promise<KeepPlan> {
  const { createPlan } = await import('./copy/plan-file.ts');
  return await createPlan(file);
}

/** What decides what is copied. */
function chosenBy(options: PlanOptions): PlanOptions {
  const { platform, all, sparse, referrers, digestTags, ifAbsent, allTags, replace } = options;
  return { platform, all, sparse, referrers, digestTags, ifAbsent, allTags, replace };
}

/** The tags of a plan, or all that there are. */
async function tagsOf(
  source: Place,
  applied: CopyPlan | undefined,
  wish: Wish,
  signal: AbortSignal,
): Promise<readonly Tag[]> {
  if (applied) return [...new Set(applied.copies.flatMap(({ tag }) => tag ?? []))];
  const { everyTag } = await import('./copy/items.ts');
  return await everyTag(source, wish, signal);
}

/** @throws OciError USAGE for what the plan says already. */
function refuseBeside(words: readonly string[], options: PlanOptions): void {
  const { platform, ...flags } = chosenBy(options);
  const isMore = Object.values(flags).includes(true) || platform.length > 0;
  if (words.length === 0 && !isMore) return;
  throw new OciError('USAGE', 'a plan says what is copied: --apply FILE takes no places and no choice of images', {
    hint: 'leave them out',
  });
}

function wordsOf({ source, copies }: CopyPlan): readonly string[] {
  return [source, ...new Set(copies.map(({ word }) => word))];
}

function tooFew(source: string | undefined): OciError {
  return new OciError('USAGE', `missing required argument '${source === undefined ? 'SOURCE' : 'DESTINATION'}'`, {
    hint: 'usage: ocictl copy SOURCE DESTINATION...',
  });
}

/** Whether a destination requires everything that a manifest names. */
function isWhole(word: string): boolean {
  return kindOf(word).incomplete === 'never';
}

/** The platforms to copy; none for the whole index. @throws OciError USAGE */
function choosePlatforms(words: readonly string[], all: boolean, sparse: boolean): readonly Platform[] {
  if (all && words.length > 0) {
    throw new OciError('USAGE', 'conflicting options: --all and --platform', { hint: 'leave one of them out' });
  }
  if (words.includes('all')) return [];
  const platforms = words.map(parsePlatform);
  if (sparse && platforms.length === 0) {
    throw new OciError('USAGE', '--sparse goes with --platform', { hint: 'name the platforms to copy' });
  }
  return platforms;
}

/** @throws OciError USAGE where it has no meaning. */
function refuseReplace({ allTags, ifAbsent }: { readonly allTags: boolean; readonly ifAbsent: boolean }): void {
  if (ifAbsent) {
    throw new OciError('USAGE', 'conflicting options: --replace and --if-absent', { hint: 'leave one of them out' });
  }
  if (allTags) return;
  throw new OciError('USAGE', '--replace goes with --all-tags', {
    hint: 'leave it out: the one tag that is named is overwritten',
  });
}
