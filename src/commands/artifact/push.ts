import { makeArtifact } from '../../artifacts/push/artifact.ts';
import { addToIndex, indexAt } from '../../artifacts/push/index-entry.ts';
import { imageSpecs } from '../../artifacts/push/manifest.ts';
import { OciError } from '../../model/errors.ts';
import { parsePlatform } from '../../model/platform/platform.ts';
import { parseTag, type Tag } from '../../model/reference/reference.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand, flag, list, value } from '../command-line/command.ts';
import { parseChoice } from '../command-line/option-values.ts';
import { jsonOption, platformWords, progressOption, registryOptions } from '../command-line/options.ts';
import { openTarget } from '../moving/open-target.ts';
import { contentOptions, filesHelp, readContent } from './input.ts';
import { sendArtifact, sentRecord } from './send.ts';

export const artifactPush = defineCommand({
  name: 'artifact push',
  summary: 'Push files as an artifact',
  description:
    `${filesHelp}\n\n` +
    'REF is in a registry, a layout (oci:DIR[:TAG]) or the local store; without a tag the artifact is found by its digest\n' +
    'alone. What is there is not sent again. The result is NAME@DIGEST.\n\n' +
    'With --index, the tag points at an index, and the artifact is added to what is in it; one that has the same platform\n' +
    'and type there is replaced. What other such commands add at the same time is not lost.\n\n' +
    '--config is here the config of the artifact; the directory of config.json goes before: ocictl --config DIR artifact push.',
  arguments: [
    { label: 'REF', summary: 'NAME:TAG, or NAME', arity: 'one', completes: 'image' },
    {
      label: 'FILE[:TYPE]',
      summary: 'A file or directory, or several; - for standard input',
      arity: 'any',
      completes: 'file',
    },
  ],
  options: {
    artifactType: value('--artifact-type <type>', 'What kind of artifact it is, as a media type'),
    ...contentOptions,
    tag: list('-t, --tag <tag>', 'Another tag in the same repository; may be repeated'),
    setPlatform: value('--set-platform <os/arch>', 'What it is for: written into its config, and into the index', {
      choices: platformWords,
    }),
    index: flag('--index', 'Add it to the index at the tag, for artifacts for several platforms'),
    imageSpec: value('--image-spec <version>', `The version that the manifest follows: ${imageSpecs.join(' or ')}`, {
      choices: imageSpecs,
    }),
    quiet: flag('-q, --quiet', 'Show no progress'),
    json: jsonOption,
    progress: progressOption,
    ...registryOptions,
  },
  examples: [
    {
      text: 'A file with a type',
      command:
        'artifact push registry.example.com/team/model:1 --artifact-type application/vnd.example.model weights.bin',
    },
    {
      text: 'A directory and a page',
      command: 'artifact push registry.example.com/team/docs:1 site readme.md:text/markdown',
    },
    {
      text: 'For two platforms, in one index',
      command: 'artifact push --index --set-platform linux/arm64 registry.example.com/team/tool:1 tool',
    },
  ],
  async run({ words: [word = '', ...files], options }, context) {
    const { signal, terminal } = context;
    const { artifactType, quiet, progress } = options;
    const platform = options.setPlatform === undefined ? undefined : parsePlatform(options.setPlatform);
    const imageSpec =
      options.imageSpec === undefined ? undefined : parseChoice('--image-spec', options.imageSpec, imageSpecs);
    const others = options.tag.map(parseTag);
    const content = await readContent(files, options, context);
    await using place = await openTarget(word, options, context);
    const own = place.named && place.tag !== undefined ? [place.tag] : [];
    const tags = [...new Set<Tag>([...own, ...others])];
    const [first] = tags;
    if (options.index && first === undefined) {
      throw new OciError('USAGE', '--index needs a tag, which points at the index', { hint: `name one: ${word}:1.0` });
    }
    const reading = options.index && first !== undefined ? indexAt(place, first, { signal }) : undefined;
    reading?.catch(() => {}); // reported below
    using made = await makeArtifact(content.files, { ...content.options, artifactType, platform, imageSpec });
    const before = await reading;
    await sendArtifact(made, place, { tags: reading ? [] : tags, progress, quiet }, context);
    const index = reading && (await addToIndex(place, before, { manifest: made.manifest, platform, tags, signal }));
    await place.finish();
    const record = { ...sentRecord(made, place), tags, ...(index && { index }) };
    await terminal.out(`${options.json ? formatJson(record) : record.reference}\n`);
  },
});
