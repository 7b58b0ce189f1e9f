import type { ArchiveWriter, Context, Outer, ServiceFlags } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import type { ProgressMode } from '../terminal/progress/progress.ts';
import type { TransferResult } from '../transfer/transfer.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { parseChoice } from './command-line/option-values.ts';
import { jsonOption, platformWords, progressOption, readingOptions } from './command-line/options.ts';
import { readReferences, severalImages } from './command-line/several.ts';
import { withProgress } from './moving/run-batch.ts';
import { type PlannedSave, parseSavedPlatforms, planSave, type SavedPlatforms } from './save/plan.ts';
import { baseWord, openSource } from './save/source.ts';
import { transferAll } from './save/transfer-all.ts';

const imageFormats = ['oci', 'docker'] as const;
const outers = ['none', 'gzip', 'zstd'] as const satisfies readonly Outer[];

export const save = defineCommand({
  name: 'save',
  summary: 'Write images to an archive',
  description:
    'The archive is an OCI layout in a tar file, and docker load, podman load and ctr images import take it too. Each blob\n' +
    'is in it once, unchanged, and the same images give the same bytes. An existing file is replaced when the new one is\n' +
    'complete; after a failure it stays as it was.\n\n' +
    `${imageHelp('IMAGE')} A name without a prefix is that of an image in the local store, if it has one, otherwise of an\n` +
    'image in a registry. Of several platforms, the archive has that of this machine, or from the local store all if all\n' +
    'are there, unless --platform says otherwise.',
  arguments: [{ ...severalImages('IMAGE'), storeToo: true }],
  options: {
    output: value('-o, --output <file>', 'The file to write; by default, or with -, standard output'),
    platform: list('--platform <os/arch>', 'Platforms to save, comma-separated, or all', {
      choices: [...platformWords, 'all'],
    }),
    imageFormat: value(
      '--image-format <format>',
      'Format of the archive: oci (default), for all programs, or docker, as Docker wrote it before 25',
      {
        choices: imageFormats,
      },
    ),
    since: value('--since <base>', 'Leave out layers that this receipt, image, repository, layout or archive has'),
    outer: value('--outer <compression>', 'Compression of the whole archive: none (default), gzip or zstd', {
      choices: outers,
    }),
    remote: flag('--remote', 'Read from the registry also what the local store has'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    progress: progressOption,
    ...readingOptions,
  },
  examples: [
    { text: 'An image of the local store or of a registry', command: 'save -o alpine.tar alpine:3.20' },
    { text: 'Two images, for another machine', command: 'save alpine busybox | ssh host docker load' },
    { text: 'Only what is new since a tag that the other side has', command: 'save --since app:1 -o app.tar app:2' },
    { text: 'With all platforms', command: 'save --platform all -o app.tar registry.example.com/team/app:1' },
  ],
  async run({ words, options }, context) {
    const file = options.output === '-' ? undefined : options.output;
    refuseTwoResults(file, options.json);
    const format = parseChoice('--image-format', options.imageFormat ?? 'oci', imageFormats);
    const platforms = parseSavedPlatforms(options.platform, format);
    refuseBaseOf(format, options.since);
    const references = await readReferences(words, context, options);
    await using base =
      options.since === undefined
        ? undefined
        : await context.baseContent(await baseWord(options.since, options, context), options);
    await using archive = await context.createArchive({
      file,
      format,
      hasBlob: base && ((digest, opts) => base.has(digest, opts)),
      signal: context.signal,
      outer: parseChoice('--outer', options.outer ?? 'none', outers),
      platform: await context.defaultPlatform(),
    });
    const saved = await saveImages(references.words, { ...options, platforms }, archive, context);
    await archive.finish({ signal: context.signal });
    if (!options.json) return;
    for (const { name, root, transferredBytes } of saved) {
      const { digest, mediaType, size } = root;
      await context.terminal.out(
        `${formatJson({ reference: name, digest, mediaType, size, transferredBytes, file })}\n`,
      );
    }
  },
});

interface SaveFlags extends ServiceFlags {
  readonly platforms: SavedPlatforms;
  readonly remote: boolean;
  readonly quiet: boolean;
  readonly progress: ProgressMode | undefined;
}

type Saved = TransferResult & { readonly name: string };

async function saveImages(
  words: readonly string[],
  flags: SaveFlags,
  archive: ArchiveWriter,
  context: Context,
): Promise<readonly Saved[]> {
  const { progress: mode, quiet } = flags;
  const several = words.length !== 1;
  const name = several ? `${words.length} images` : String(words[0]);
  return withProgress(context, { mode, quiet, action: 'save', name, several }, async (progress) => {
    await using opened = new OpenedSources();
    const plans: PlannedSave[] = [];
    for (const word of words) {
      const source = opened.add(await openSource(word, flags, context));
      plans.push(await planSave(source, flags.platforms, archive, context));
    }
    const results = await transferAll(
      plans.map(({ root }) => root),
      progress,
      context,
    );
    return results.map((result, i) => ({ ...result, name: plans[i]?.name ?? '' }));
  });
}

/** What is disposed of together. */
class OpenedSources implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = [];

  add<T extends AsyncDisposable>(source: T): T {
    this.#all.push(source);
    return source;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#all) await source[Symbol.asyncDispose]();
  }
}

/** @throws OciError USAGE if standard output has another result already. */
function refuseTwoResults(file: string | undefined, json: boolean): void {
  if (file !== undefined || !json) return;
  throw new OciError('USAGE', 'conflicting options: --json and an archive on standard output', {
    hint: 'name a file with -o FILE',
  });
}

/** @throws OciError USAGE for --since with a format that has no place for it. */
function refuseBaseOf(format: 'oci' | 'docker', since: string | undefined): void {
  if (format === 'oci' || since === undefined) return;
  throw new OciError('USAGE', 'conflicting options: --since and --image-format docker', {
    hint: 'leave --image-format out: docker load takes the default format too',
  });
}
