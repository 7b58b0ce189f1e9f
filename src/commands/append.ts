import type { Context } from '../app/context.ts';
import type { MadeLayer } from '../edit/layer/make-layer.ts';
import { OciError } from '../model/errors.ts';
import { parsePlatform } from '../model/platform/platform.ts';
import { readFrom } from '../places/place.ts';
import { compressionOf, compressOption, parseOwner, parsePrefix } from './changing/layer-options.ts';
import { changingHelp, parsePlatforms, platformsOption, resultOptions, targetOf } from './changing/options.ts';
import { openResult, openSource, writeEdited } from './changing/write-result.ts';
import { defineCommand, flag, value, values } from './command-line/command.ts';
import { platformWords } from './command-line/options.ts';

export const append = defineCommand({
  name: 'append',
  summary: 'Add layers to an image, from archives or directories',
  description:
    `${changingHelp.replaceAll('REF', 'BASE')}\n\n` +
    'Without BASE, the image has these layers alone. Each -f is a layer: a tar archive, also in gzip or zstd, which is then the\n' +
    'layer as it is; or a directory, whose content is put into the root of the image or below --prefix. - is standard input.\n\n' +
    'Of a directory, the same content is the same layer: entries are sorted, belong to 0:0, and have the time of\n' +
    '$SOURCE_DATE_EPOCH, or 1970. A file .wh.NAME in it removes NAME of the layers below.',
  arguments: [{ label: 'BASE', summary: 'The image to add to', arity: 'optional', completes: 'image', storeToo: true }],
  options: {
    ...resultOptions,
    platform: platformsOption,
    file: values('-f, --file <path>', 'A tar archive or a directory; may be repeated, the lowest layer first'),
    prefix: value('--prefix <path>', 'Where the content of directories is put'),
    owner: value('--owner <uid[:gid]>', 'Whom what is in directories belongs to'),
    keepTimes: flag('--keep-times', 'Keep the times of files in directories, at most $SOURCE_DATE_EPOCH'),
    compress: compressOption,
    setPlatform: value('--set-platform <os/arch>', 'What a new image is for; default: this machine', {
      choices: platformWords,
    }),
    baseAnnotations: flag('--base-annotations', 'Say in annotations which base it is, for check-base and rebase'),
  },
  examples: [
    {
      text: 'A directory on a base, for all its platforms',
      command: 'append alpine:3.20 -f site --prefix /srv/www -t registry.example.com/team/site:1',
    },
    { text: 'An image of one archive', command: 'append -f rootfs.tar.gz -t oci:root:1 --set-platform linux/arm64' },
  ],
  async run({ words: [word], options }, context) {
    const target = targetOf(options.tag);
    const platforms = parsePlatforms(options.platform);
    const setPlatform = options.setPlatform === undefined ? undefined : parsePlatform(options.setPlatform);
    refuseConflicts(word, options);
    const { appendLayers, emptyImage } = await import('../edit/append.ts');
    const { annotateBase } = await import('../edit/base/annotations.ts');
    const { editRoot } = await import('../edit/edit-root.ts');
    const { signal } = context;
    const time = context.sourceDate();
    const created = time?.toISOString().replace(/\.\d+Z$/, 'Z');
    const layers = await makeLayers(options, time, context);
    try {
      await using source = word === undefined ? undefined : await openSource(word, options, context);
      const begin = async () => await emptyImage(setPlatform ?? (await context.defaultPlatform()), created);
      const from = source ?? (await begin());
      await using destination = await openResult(target, source, options, context);
      const read = () =>
        editRoot(from, {
          platforms,
          signal,
          edit(draft) {
            appendLayers(draft, layers, { createdBy: 'ocictl append', created });
            if (source && options.baseAnnotations)
              annotateBase(draft, source.fullName, draft.original.descriptor.digest);
            if (source && setPlatform) draft.setPlatform(setPlatform);
          },
        });
      using edited = source ? await readFrom(source, read) : await read();
      await writeEdited(edited, { source, from: source ? undefined : from, destination }, options, context);
    } finally {
      for (const { blob } of layers) blob.close();
    }
  },
});

interface LayerFlags {
  readonly file: readonly string[];
  readonly prefix: string | undefined;
  readonly owner: string | undefined;
  readonly keepTimes: boolean;
  readonly compress: string | undefined;
}

/** Makes all layers before anything else: what is no tar archive is refused before a registry is written to. */
async function makeLayers(flags: LayerFlags, time: Date | undefined, context: Context): Promise<readonly MadeLayer[]> {
  const directory = {
    prefix: parsePrefix(flags.prefix),
    owner: parseOwner(flags.owner),
    keepTimes: flags.keepTimes,
    time,
  };
  const options = { compression: compressionOf(flags.compress), signal: context.signal };
  const { makeLayer } = await import('../edit/layer/inputs.ts');
  const layers: MadeLayer[] = [];
  try {
    for (const path of flags.file) {
      const stdin = path === '-' ? context.stdin() : undefined;
      layers.push(await makeLayer({ path, stdin }, { ...options, directory }));
    }
    return layers;
  } catch (error) {
    for (const { blob } of layers) blob.close();
    throw error;
  }
}

interface Conflicting {
  readonly file: readonly string[];
  readonly platform: readonly string[];
  readonly baseAnnotations: boolean;
}

/** @throws OciError USAGE */
function refuseConflicts(word: string | undefined, { file, platform, baseAnnotations }: Conflicting): void {
  if (file.length === 0) {
    throw new OciError('USAGE', 'there is no layer to add', { hint: 'name an archive or a directory with -f' });
  }
  if (file.filter((path) => path === '-').length > 1) {
    throw new OciError('USAGE', 'conflicting options: standard input can be read once');
  }
  if (word !== undefined || (platform.length === 0 && !baseAnnotations)) return;
  throw new OciError('USAGE', '--platform and --base-annotations are about a base, and there is none', {
    hint: 'name the base, or say with --set-platform what the new image is for',
  });
}
