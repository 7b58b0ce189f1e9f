import type { Context } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  type Reference,
  type Tag,
  withDefaultTag,
} from '../model/reference/reference.ts';
import { leases } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import type { Progress } from '../terminal/progress/progress.ts';
import { defineCommand, flag, list } from './command-line/command.ts';
import { jsonOption, policyOption, progressOption, readingOptions } from './command-line/options.ts';
import {
  forEachReference,
  movedTogetherHelp,
  type References,
  readReferences,
  severalImages,
} from './command-line/several.ts';
import { moveReferences } from './moving/move-references.ts';
import { moveTags } from './moving/move-tags.ts';
import { withProgress } from './moving/run-batch.ts';
import { defaultTagLine, eventLine, type PullFlags, pulledText } from './pull/output.ts';
import { type PlannedPull, Puller } from './pull/puller.ts';

export const pull = defineCommand({
  name: 'pull',
  summary: 'Download an image from a registry into the local store',
  description:
    'Without a tag, it pulls latest. For an image with several platforms, it pulls the one of this machine unless\n' +
    '--platform says otherwise. What is in the store is not downloaded again, and an interrupted download is resumed.\n\n' +
    'Stdout has the lines that Docker prints while it pulls; with --quiet or --json, only the result.\n\n' +
    movedTogetherHelp,
  arguments: [severalImages('NAME[:TAG|@DIGEST]')],
  options: {
    allTags: flag('-a, --all-tags', 'Pull every tag of the repository'),
    platform: list('--platform <os/arch>', 'Platforms to pull, comma-separated, or all'),
    quiet: flag('-q, --quiet', 'Print only the full name of the pulled image'),
    json: jsonOption,
    progress: progressOption,
    policy: policyOption,
    ...readingOptions,
  },
  examples: [
    { text: 'The image tagged latest, for this machine', command: 'pull alpine' },
    { text: 'Two platforms of one tag', command: 'pull --platform linux/amd64,linux/arm64 alpine:3.20' },
    { text: 'By digest, from a registry of your own', command: 'pull registry.example.com/team/app@sha256:…' },
  ],
  async run({ words, options }, context) {
    const choice = await choosePlatforms(options.platform, context);
    const references = await readReferences(words, context, options);
    const [only] = references.words;
    if (only === undefined) return;
    const { allTags, quiet, progress: mode } = options;
    const puller = new Puller(context, { ...options, ...choice });
    const nameOf = (reference: Reference): string =>
      allTags ? familiarName(reference) : familiarReference(withDefaultTag(reference));
    const { several } = references;
    const name = several ? `${references.words.length} images` : nameOf(await puller.parse(only));
    const display = { mode, quiet, action: 'pull', name, several: several || allTags, route: puller.route } as const;
    await withProgress(context, display, async (progress) => {
      const local = await context.store();
      await using _lease = await local.extension(leases)?.lease({ signal: context.signal });
      const ends = { puller, local, progress };
      if (!allTags) return pullImages(references, ends, options, context);
      const { terminal } = context;
      const done = async (): Promise<void> => {};
      await forEachReference(references, { terminal, what: 'pulled', atOnce: 1 }, async (word) => {
        await pullTags(await puller.parse(word), ends, options, context);
        return done;
      });
    });
  },
});

interface Ends {
  readonly puller: Puller;
  readonly local: Registry;
  readonly progress: Progress;
}

async function pullImages(
  references: References,
  { puller, local, progress }: Ends,
  flags: PullFlags,
  context: Context,
): Promise<void> {
  const { several } = references;
  const { out } = context.terminal;
  const silent = flags.quiet || flags.json;
  // A single image, which is told while it arrives.
  let told: Reference | undefined;
  const start = async ({ reference, isDefault }: PlannedPull): Promise<void> => {
    told = reference;
    if (!silent && isDefault) await progress.say(defaultTagLine);
  };
  await moveReferences(
    references,
    {
      progress,
      parallelBlobs: await context.parallelDownloads(),
      keeps: 'parts',
      lineOf: (event) => (silent || !told ? undefined : eventLine(event, told)),
      nameOf: async (word) => formatReference(withDefaultTag(await puller.parse(word))),
      async plan(word) {
        const reference = await puller.parse(word);
        const plan = await puller.plan(reference, local);
        if (!several) await start(plan);
        return plan;
      },
      async conclude(plan, result) {
        await puller.keep(plan, result, local);
        const text = await pulledText(plan, result, { ...flags, live: !several });
        return async () => {
          progress.concluded?.(result.blobs);
          await (silent ? out(text) : progress.say(text.trimEnd()));
        };
      },
      what: 'pulled',
    },
    context,
  );
}

/** Pulls every tag of a repository. */
async function pullTags(
  repository: Reference,
  { puller, local, progress }: Ends,
  flags: PullFlags,
  context: Context,
): Promise<void> {
  const { out } = context.terminal;
  const silent = flags.quiet || flags.json;
  const remote = await puller.open(repository);
  const count = await moveTags(context, {
    progress,
    parallelBlobs: await context.parallelDownloads(),
    keeps: 'parts',
    tags: (signal) => remote.tags(repository.path, { signal }),
    plan: (tag: Tag) => puller.plan({ ...repository, tag }, local),
    conclude: (plan, result) => ({ plan, result }),
    async tell({ plan, result }) {
      progress.concluded?.(result.blobs);
      const text = await pulledText(plan, result, { ...flags, live: false, nameless: true });
      await (silent ? out(text) : progress.say(text.trimEnd()));
    },
    nameOf: (tag) => familiarReference({ ...repository, tag }),
    what: 'pulled',
    others: 'the others are in the local store',
  });
  if (count === 0) throw new OciError('MANIFEST_UNKNOWN', `${familiarReference(repository)} has no tags to pull`);
  if (!silent) await out(`${familiarReference(repository)}\n`);
}

interface PlatformChoice {
  readonly platforms: readonly Platform[] | undefined;
  readonly explicit: boolean;
}

async function choosePlatforms(words: readonly string[], context: Context): Promise<PlatformChoice> {
  if (words.includes('all')) return { platforms: undefined, explicit: false };
  if (words.length > 0) return { platforms: words.map(parsePlatform), explicit: true };
  return { platforms: [await context.defaultPlatform()], explicit: false };
}
