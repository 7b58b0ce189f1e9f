import type { Context, Place, ServiceFlags } from '../../app/context.ts';
import type { ArtifactFiles, ArtifactFilesOptions } from '../../artifacts/pull/artifact-files.ts';
import { readPath } from '../../artifacts/pull/titles.ts';
import { OciError } from '../../model/errors.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { quote, visible } from '../../model/quote.ts';
import { readFrom } from '../../places/place.ts';
import { imageHelp } from '../../places/places.ts';
import { formatJson } from '../../terminal/json.ts';
import type { ProgressMode } from '../../terminal/progress/progress.ts';
import { resolveArtifact } from '../../transfer/platforms.ts';
import { defineCommand, flag, value } from '../command-line/command.ts';
import { parseOnePlatform } from '../command-line/option-values.ts';
import { jsonOption, platformWords, policyOption, progressOption, readingOptions } from '../command-line/options.ts';
import { openJudged } from '../moving/judged.ts';
import { runBatch, withProgress } from '../moving/run-batch.ts';

export const artifactPull = defineCommand({
  name: 'artifact pull',
  summary: 'Pull the files of an artifact',
  description:
    `${imageHelp('REF')}\n` +
    'Each layer with a title becomes a file of that name below DIR, and a directory that was pushed is unpacked there. The\n' +
    'paths of the files are printed, one a line. Layers without a title are only told.\n\n' +
    'Files appear when all have come and were verified; after a failure there are none. A file that exists is replaced. A\n' +
    'directory that exists gets the files of the new one, and keeps its others. Titles that lead out of DIR, also through a\n' +
    'link, are refused, and so are two of which one would replace the other.\n\n' +
    'With -o -, the only layer goes to standard output, with or without a title. A directory is then a compressed tar archive.\n\n' +
    "This command's --config names a file in DIR; the directory of Docker's config.json is named before the command:\n" +
    'ocictl --config DIR artifact pull REF.',
  arguments: [{ label: 'REF', summary: 'The artifact', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    output: value('-o, --output <dir>', 'Where the files go (default: the current directory); - for standard output'),
    keepOld: flag('-k, --keep-old', 'Refuse to replace what exists'),
    config: value('--config <file[:type]>', 'Write the config to this file in DIR too, if it has the type'),
    platform: value('--platform <os/arch>', 'The artifact of an index that is for this platform', {
      choices: platformWords,
    }),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    progress: progressOption,
    policy: policyOption,
    ...readingOptions,
  },
  examples: [
    { text: 'Into the current directory', command: 'artifact pull registry.example.com/team/files:1' },
    { text: 'Into another, which is made', command: 'artifact pull -o out registry.example.com/team/files:1' },
    { text: 'The only file, for a program', command: 'artifact pull -o - registry.example.com/team/sbom:1 | jq .' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { platform, output = '.', keepOld } = options;
    const config = options.config === undefined ? undefined : parseConfigWord(options.config);
    if (output === '-') refuseWithStdout({ ...options, keepOld });
    const choice = {
      platform: platform === undefined ? undefined : parseOnePlatform(platform),
      ownPlatform: await context.defaultPlatform(),
    };
    await using place = await openJudged(word, options, context, choice.platform && [choice.platform]);
    const { signal } = context;
    const manifest = await readFrom(place, () => resolveArtifact(place, choice, { signal }));
    if (output === '-') return await printOnly(place, manifest, context);
    const { openArtifactFiles } = await import('../../artifacts/pull/artifact-files.ts');
    const wanted: ArtifactFilesOptions = { name: place.name, directory: output, keepOld, config };
    await using files = await openArtifactFiles(manifest, wanted);
    await pullInto(files, manifest, { place, word, ...options }, context);
    const pulled = await files.finish({ signal });
    tellUntitled(files, place, pulled.length, context);
    if (options.json) {
      const { mediaType, digest, size } = manifest.descriptor;
      const named = (of: string): string => `${place.repository}@${of}`;
      const shown = pulled.map(({ path, descriptor: { data: _, ...descriptor } }) => ({
        path,
        reference: named(descriptor.digest),
        ...descriptor,
      }));
      const { artifactType } = manifest.view;
      const record = { reference: named(digest), mediaType, digest, size, artifactType, files: shown };
      return await context.terminal.out(`${formatJson(record)}\n`);
    }
    for (const { path } of pulled) await context.terminal.out(`${visible(path)}\n`);
  },
});

interface Pulling extends ServiceFlags {
  readonly place: Place;
  readonly word: string;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly progress: ProgressMode | undefined;
}

async function pullInto(
  { registry }: ArtifactFiles,
  manifest: Manifest,
  { place, word, quiet, json, progress: mode }: Pulling,
  context: Context,
): Promise<void> {
  const shown = { mode, quiet: quiet || json, action: 'pull', name: word, several: false } as const;
  await withProgress(context, shown, async (progress) => {
    const parallelBlobs = await context.parallelDownloads();
    await runBatch(context, { progress, parallelBlobs, keeps: 'nothing' }, (batch) =>
      batch.transfer({
        from: {
          ...end(place),
          reference: manifest.descriptor.digest,
          root: manifest.descriptor,
          manifests: [manifest],
        },
        to: { registry, repo: place.repo, tags: [] },
      }),
    );
  });
}

function end({ registry, repo, sparse }: Place): Pick<Place, 'registry' | 'repo' | 'sparse'> {
  return { registry, repo, sparse };
}

function tellUntitled({ untitled }: ArtifactFiles, place: Place, files: number, { terminal }: Context): void {
  const { length } = untitled;
  if (length === 0) {
    if (files === 0) terminal.warn(`${place.name} has no files`);
    return;
  }
  const what =
    length === 1 ? '1 layer has no title and became no file' : `${length} layers have no title and became no files`;
  const example = `${place.repository}@${untitled[0]?.digest}`;
  terminal.warn(`${what}: ocictl manifest get lists them, ocictl blob get reads one, as ${example}`);
}

/** Writes the only layer to standard output. @throws OciError UNSUPPORTED if there are several, or none. */
async function printOnly(place: Place, { view, mediaType }: Manifest, context: Context): Promise<void> {
  const { signal } = context;
  const layers = view.kind === 'image' ? view.layers : view.kind === 'artifact' ? view.blobs : [];
  const [layer] = layers;
  if (!layer || layers.length > 1) {
    const has =
      layers.length === 0 ? `of the type ${quote(mediaType)}, and has no layers` : `has ${layers.length} layers`;
    throw new OciError(
      'UNSUPPORTED',
      `${place.name} ${layers.length === 0 ? 'is ' : ''}${has}: -o - takes exactly one`,
      {
        hint: 'name a directory with -o DIR, or read one with ocictl blob get NAME@DIGEST',
      },
    );
  }
  const content = await readFrom(place, () => place.registry.getBlob(place.repo, layer, { signal }));
  try {
    await using file = await context.openOutput(undefined);
    await content.drainTo(file, { signal });
    await file.finish({ signal });
  } finally {
    await content.cancel();
  }
}

/** @throws OciError USAGE for options that are about files. */
function refuseWithStdout(options: {
  readonly json: boolean;
  readonly keepOld: boolean;
  readonly config: string | undefined;
}): void {
  const given = [options.json && '--json', options.keepOld && '--keep-old', options.config !== undefined && '--config'];
  const first = given.find((word) => word !== false);
  if (first === undefined) return;
  throw new OciError('USAGE', `conflicting options: ${first} and -o -`, { hint: 'name a directory with -o DIR' });
}

/** `FILE` or `FILE:TYPE`: what follows the last colon is a type if it has a slash. @throws OciError USAGE for no path in DIR */
function parseConfigWord(word: string): { readonly path: string; readonly mediaType: string | undefined } {
  const colon = word.lastIndexOf(':');
  const type = colon > 0 ? word.slice(colon + 1) : '';
  const config = type.includes('/')
    ? { path: word.slice(0, colon), mediaType: type }
    : { path: word, mediaType: undefined };
  const { names, problem } = readPath(config.path);
  if (problem === undefined && names.length > 0) return config;
  throw new OciError('USAGE', `--config ${quote(config.path)} names no file in DIR: ${problem ?? 'it is DIR itself'}`, {
    hint: 'name a path below DIR, or print the config with ocictl blob get',
  });
}
