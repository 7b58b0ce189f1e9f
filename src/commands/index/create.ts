import { parsePlatform } from '../../model/platform/platform.ts';
import { formatJson } from '../../terminal/json.ts';
import { parsePlatforms, resultOptions, targetOf } from '../changing/options.ts';
import { openResult, sendResult } from '../changing/write-result.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { parseChoice, parsePairs } from '../command-line/option-values.ts';
import { platformWords } from '../command-line/options.ts';
import { imageFormats } from '../copy/conversion.ts';
import { gatherEntries } from './gather.ts';
import { entryAnnotationOption, entryPlatformOption, indexAnnotationOption } from './options.ts';

export const indexCreate = defineCommand({
  name: 'index create',
  summary: 'Make an index of images',
  description:
    'IMAGE is an image for one platform, by tag or digest, or an index, which gives all that it names; from any place. What\n' +
    'the index names is copied to where it goes, as far as it is not there. The platform of an image is what its config says.\n' +
    'Two images for one platform are refused. The same images give the same index. One index alone is copied as it is.\n\n' +
    'The index is a list of Docker if all images have that format, unless --image-format says otherwise. Its digest is printed.',
  arguments: [
    { label: 'IMAGE', summary: 'An image or index, or several', arity: 'many', completes: 'image', storeToo: true },
  ],
  options: {
    ...resultOptions,
    platform: entryPlatformOption,
    setPlatform: value('--set-platform <os/arch>', 'What the image is for, in place of what its config says', {
      choices: platformWords,
    }),
    annotation: indexAnnotationOption,
    entryAnnotation: entryAnnotationOption,
    imageFormat: value('--image-format <format>', 'The format of the index: oci or docker', { choices: imageFormats }),
  },
  examples: [
    {
      text: 'Of two images',
      command:
        'index create -t registry.example.com/team/app:1 registry.example.com/team/app:1-amd64 registry.example.com/team/app:1-arm64',
    },
    {
      text: 'Of some platforms of another index',
      command: 'index create -t oci:small:1 --platform linux/amd64,linux/arm64 alpine:3.20',
    },
  ],
  async run({ words, options }, context) {
    const target = targetOf(options.tag);
    const annotations = parsePairs('--annotation', options.annotation);
    const choice = {
      platforms: parsePlatforms(options.platform),
      setPlatform: options.setPlatform === undefined ? undefined : parsePlatform(options.setPlatform),
      annotations: parsePairs('--entry-annotation', options.entryAnnotation),
    };
    const format =
      options.imageFormat === undefined ? undefined : parseChoice('--image-format', options.imageFormat, imageFormats);
    const { addEntries, indexTypeFor, indexWith } = await import('../../edit/index/entries.ts');
    const { readManifest } = await import('../../model/manifest/manifest.ts');
    const { mediaTypes } = await import('../../model/manifest/media-types.ts');
    await using gathered = await gatherEntries(words, choice, options, context);
    await using destination = await openResult(target, undefined, options, context);
    const entries = addEntries([], gathered.entries);
    const [only, another] = gathered.manifests;
    const types = { oci: mediaTypes.ociIndex, docker: mediaTypes.dockerList };
    const keeps = only?.view.kind === 'index' && !another && format === undefined;
    const mediaType = keeps ? only.mediaType : format ? types[format] : indexTypeFor(entries, annotations);
    const root = await readManifest(indexWith(keeps ? only : undefined, entries, { mediaType, annotations }));
    const result = { root, manifests: [root], blobs: [] };
    const sent = await sendResult(result, { source: gathered.from(), destination }, options, context);
    const { digest, size } = sent;
    const record = { reference: `${destination.repository}@${digest}`, digest, mediaType: sent.mediaType, size };
    await context.terminal.out(`${options.json ? formatJson(record) : digest}\n`);
  },
});
