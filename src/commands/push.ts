import type { Context } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import type { Platform } from '../model/platform/platform.ts';
import { visible } from '../model/quote.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  type Reference,
  withDefaultTag,
} from '../model/reference/reference.ts';
import type { Progress } from '../terminal/progress/progress.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, platformWords, progressOption, registryOptions } from './command-line/options.ts';
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
import { beginning, eventLine, type PushFlags, pushedText } from './push/output.ts';
import { Pusher } from './push/pusher.ts';

export const push = defineCommand({
  name: 'push',
  summary: 'Upload an image of the local store to a registry',
  description:
    'What the registry already has is not sent, and blobs that another of its repositories has are mounted from there. If\n' +
    'only one image of an index was pulled, that image is pushed; if several but not all were, --platform is required.\n\n' +
    'Stdout has the lines that Docker prints while it pushes; with --quiet or --json, only the result.\n\n' +
    movedTogetherHelp,
  arguments: [{ ...severalImages('NAME[:TAG]'), completes: 'stored' }],
  options: {
    allTags: flag('-a, --all-tags', 'Push every tag of the repository that is in the store'),
    platform: value(
      '--platform <os/arch>',
      'Push only the image for this platform, without the index; all: the whole index',
      { choices: [...platformWords, 'all'] },
    ),
    quiet: flag('-q, --quiet', 'Print only the full name of the pushed image'),
    json: jsonOption,
    progress: progressOption,
    ...registryOptions,
  },
  examples: [
    { text: 'What was tagged for a registry', command: 'push registry.example.com/team/app:1' },
    { text: 'Every tag', command: 'push --all-tags registry.example.com/team/app' },
  ],
  async run({ words, options }, context) {
    const platform = options.platform === undefined ? undefined : parsePushed(options.platform);
    const references = await readReferences(words, context, options);
    const [only] = references.words;
    if (only === undefined) return;
    const { allTags, quiet, progress: mode } = options;
    const pusher = new Pusher(context, { ...options, platform });
    const { several } = references;
    const hosts = new Set<string>();
    const nameOf = (reference: Reference): string =>
      allTags ? familiarName(reference) : familiarReference(withDefaultTag(reference));
    const name = several ? `${references.words.length} images` : nameOf(pusher.parse(only));
    const route = (): string | undefined => (hosts.size === 1 ? `to ${[...hosts]}` : undefined);
    const display = { mode, quiet, action: 'push', name, several: several || allTags, route } as const;
    const pushing = withProgress(context, display, async (progress) => {
      const ends = { pusher, progress, hosts };
      if (!allTags) return pushImages(references, ends, options, context);
      const { terminal } = context;
      const done = async (): Promise<void> => {};
      await forEachReference(references, { terminal, what: 'pushed', atOnce: 1 }, async (word) => {
        await pushTags(pusher.parse(word), ends, options, context);
        return done;
      });
    });
    await pushing.catch((error: unknown) => withHintFor(words, error));
  },
});

/** Docker's push takes one image. Who names a file behind it means to push that. */
async function withHintFor([image = '', ...others]: readonly string[], error: unknown): Promise<never> {
  if (error instanceof OciError) {
    const { parseFileWord } = await import('../artifacts/push/file-word.ts');
    for (const word of others) {
      const file = word !== '-' && (await parseFileWord(word).catch(() => undefined));
      if (!file) continue;
      const { code, message, status, detail } = error;
      const hint = `${visible(file.path)} is a file: ocictl artifact push ${visible(image)} ${visible(word)} pushes files`;
      throw new OciError(code, message, { status, detail, hint, cause: error });
    }
  }
  throw error;
}

function parsePushed(word: string): Platform | 'all' {
  return word === 'all' ? word : parseOnePlatform(word);
}

interface Ends {
  readonly pusher: Pusher;
  readonly progress: Progress;
  /** The hosts that images were pushed to. */
  readonly hosts: Set<string>;
}

async function pushImages(
  references: References,
  { pusher, progress, hosts }: Ends,
  flags: PushFlags,
  context: Context,
): Promise<void> {
  const { several } = references;
  const { signal, terminal } = context;
  const silent = flags.quiet || flags.json;
  await moveReferences(
    references,
    {
      progress,
      parallelBlobs: await context.parallelUploads(),
      lineOf: (event) => (silent ? undefined : eventLine(event)),
      nameOf: async (word) => formatReference(withDefaultTag(pusher.parse(word))),
      async plan(word) {
        const reference = pusher.parse(word);
        const [tag] = await pusher.tags(reference);
        hosts.add(reference.domain);
        await pusher.open(reference);
        if (!several && !silent) {
          for (const line of beginning(reference, reference.tag === undefined)) await progress.say(line);
        }
        return pusher.plan(reference, tag);
      },
      async conclude(plan, result) {
        const text = await pushedText(plan, result, { ...flags, live: !several, signal });
        return async () => {
          progress.concluded?.(result.blobs);
          await (silent ? terminal.out(text) : progress.say(text.trimEnd()));
        };
      },
      what: 'pushed',
    },
    context,
  );
}

/** Pushes every tag of a repository. One that fails does not stop the others. */
async function pushTags(
  repository: Reference,
  { pusher, progress, hosts }: Ends,
  flags: PushFlags,
  context: Context,
): Promise<void> {
  const { signal } = context;
  const { out } = context.terminal;
  const silent = flags.quiet || flags.json;
  const tags = await pusher.tags(repository);
  await pusher.open(repository);
  hosts.add(repository.domain);
  if (!silent) for (const line of beginning(repository, false)) await progress.say(line);
  await moveTags(context, {
    progress,
    parallelBlobs: await context.parallelUploads(),
    tags: () => tags,
    plan: (tag, stopping) => pusher.plan(repository, tag, stopping),
    conclude: async (plan, result) => {
      const text = await pushedText(plan, result, { ...flags, live: false, nameless: true, signal });
      return { text, blobs: result.blobs };
    },
    async tell({ text, blobs }) {
      progress.concluded?.(blobs);
      await (silent ? out(text) : progress.say(text.trimEnd()));
    },
    nameOf: (tag) => familiarReference({ ...repository, tag }),
    what: 'pushed',
    others: 'the others are in the registry',
  });
  if (flags.quiet && !flags.json) await out(`${formatReference(repository)}\n`);
}
