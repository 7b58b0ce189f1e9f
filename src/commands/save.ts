import type { ArchiveWriter, Context, Outer, ServiceFlags } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import type { ProgressMode } from '../terminal/progress/progress.ts';
import type { BatchOptions, TransferResult } from '../transfer/transfer.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { parseChoice } from './command-line/option-values.ts';
import { jsonOption, platformWords, policyOption, progressOption, readingOptions } from './command-line/options.ts';
import { readReferences, severalImages } from './command-line/several.ts';
import { compressions, parseConversion } from './copy/conversion.ts';
import { withProgress } from './moving/run-batch.ts';
import { type Attached, type PlannedSave, parseSavedPlatforms, planSave, type SavedPlatforms } from './save/plan.ts';
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
    referrers: flag('--referrers', 'Save what refers to the images too, as signatures do'),
    digestTags: flag('--digest-tags', 'Save what cosign keeps under sha256-….sig, .att and .sbom tags too'),
    imageFormat: value(
      '--image-format <format>',
      'Format of the archive: oci (default), for all programs, or docker, as Docker wrote it before 25',
      {
        choices: imageFormats,
      },
    ),
    since: value('--since <base>', 'Leave out layers that this receipt, image, repository, layout or archive has'),
    compress: value(
      '--compress <compression>',
      'Compress layers again: gzip, zstd or none, with a level as in zstd:9',
      {
        choices: compressions,
      },
    ),
    outer: value('--outer <compression>', 'Compression of the whole archive: none (default), gzip or zstd', {
      choices: outers,
    }),
    remote: flag('--remote', 'Read from the registry also what the local store has'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    progress: progressOption,
    policy: policyOption,
    ...readingOptions,
  },
  examples: [
    { text: 'An image of the local store or of a registry', command: 'save -o alpine.tar alpine:3.20' },
    { text: 'Two images, for another machine', command: 'save alpine busybox | ssh host docker load' },
    { text: 'Only what is new since a tag that the other side has', command: 'save --since app:1 -o app.tar app:2' },
    {
      text: 'With signatures, attestations and whatever else refers to it',
      command: 'save --referrers --digest-tags -o app.tar registry.example.com/team/app:1',
    },
    { text: 'With all platforms', command: 'save --platform all -o app.tar registry.example.com/team/app:1' },
  ],
  async run({ words, options }, context) {
    const file = options.output === '-' ? undefined : options.output;
    refuseTwoResults(file, options.json);
    const format = parseChoice('--image-format', options.imageFormat ?? 'oci', imageFormats);
    const platforms = parseSavedPlatforms(options.platform, format);
    refuseBeside(format, options);
    const conversion = parseSavedConversion(options);
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
    if (base?.file !== undefined) await archive.refuseInput(base.file);
    using converter = conversion && (await context.createConverter(conversion));
    const flags = { ...options, platforms, transform: converter?.transform };
    const saved = await saveImages(references.words, flags, archive, context);
    await archive.finish({ signal: context.signal });
    if (!options.json) return;
    for (const { name, root, transferredBytes, ...attached } of saved) {
      const { digest, mediaType, size } = root;
      const taken = {
        ...(options.referrers && { referrers: attached.referrers.map((entry) => entry.digest) }),
        ...(options.digestTags && { digestTags: attached.digestTags }),
      };
      const result = { reference: name, digest, mediaType, size, transferredBytes, ...taken, file };
      await context.terminal.out(`${formatJson(result)}\n`);
    }
  },
});

interface SaveFlags extends ServiceFlags, Attached, Pick<BatchOptions, 'transform'> {
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
      if (source.replaced !== undefined) await archive.refuseInput(source.replaced);
      plans.push(await planSave(source, flags, archive, context));
    }
    const roots = plans.map(({ root }) => root);
    const results = await transferAll(roots, { progress, transform: flags.transform }, context);
    return results.map((result, i) => {
      const [plan, { root }] = [plans[i], result];
      const before = plan?.root.from.reference;
      if (flags.transform && before !== root.digest) {
        context.terminal.note(`${plan?.name}: ${before} was converted, and is ${root.digest} in the archive`);
      }
      return { ...result, name: plan?.name === before ? root.digest : (plan?.name ?? '') };
    });
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

/** `--compress`; with it, `--image-format oci` changes manifests of Docker too. @throws OciError USAGE */
function parseSavedConversion(
  flags: Attached & {
    readonly imageFormat: string | undefined;
    readonly compress: string | undefined;
    readonly since: string | undefined;
  },
): ReturnType<typeof parseConversion> {
  const { imageFormat, compress, since, referrers, digestTags } = flags;
  if (compress === undefined) return undefined;
  const refuse = (what: string, hint: string): never => {
    throw new OciError('USAGE', `conflicting options: --compress and ${what}`, { hint });
  };
  const signed = 'signatures and other referrers are for the digest of the image as it is: leave one of them out';
  if (referrers) refuse('--referrers', signed);
  if (digestTags) refuse('--digest-tags', signed);
  if (since !== undefined) refuse('--since', 'layers that are compressed again are others than the reader has');
  if (imageFormat === 'docker') {
    refuse('--image-format docker', 'its layers are always unpacked: leave one of them out');
  }
  return parseConversion({ imageFormat, compress });
}

/** @throws OciError USAGE for what the format has no place for. */
function refuseBeside(
  format: 'oci' | 'docker',
  { since, referrers, digestTags }: Attached & { readonly since: string | undefined },
): void {
  const given = [since !== undefined && '--since', referrers && '--referrers', digestTags && '--digest-tags'];
  const flag = given.find((one) => one !== false);
  if (format === 'oci' || flag === undefined) return;
  throw new OciError('USAGE', `conflicting options: ${flag} and --image-format docker`, {
    hint: 'leave --image-format out: docker load takes the default format too',
  });
}
