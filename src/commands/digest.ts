import { parsePlatform } from '../model/platform.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, value } from './command.ts';
import { Inspection } from './inspect/gather.ts';
import { orNoSuchImage } from './inspect/no-such-image.ts';
import { jsonOption, serviceOptions } from './options.ts';

export const digest = defineCommand({
  name: 'digest',
  summary: 'Print the digest of an image',
  description:
    'REF is an image in a registry, oci:DIR[:TAG] for an OCI layout, or store:NAME for an image of the local store.\n' +
    'Of an image for several platforms it is the digest of the whole, unless --platform names one. A registry is asked by HEAD,\n' +
    'which does not count as a pull.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image' }],
  options: {
    platform: value('--platform <os/arch>', 'The digest of the image for this platform'),
    json: jsonOption,
    ...serviceOptions,
  },
  examples: [
    { text: 'What a tag points at', command: 'digest alpine:3.20' },
    { text: 'The image for one platform', command: 'digest --platform linux/arm64 alpine:3.20' },
  ],
  async run({ words, options }, context) {
    const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
    const { terminal, signal } = context;
    const end = await context.openEnd(words[0] ?? '', 'source', options);
    const descriptor = platform
      ? (await new Inspection(end, { platform, explicit: true, signal }).image()).descriptor
      : await orNoSuchImage(end, () => end.registry.statManifest(end.repo, end.reference, { signal }));
    const { digest, mediaType, size } = descriptor;
    await terminal.out(`${options.json ? formatJson({ digest, mediaType, size }) : digest}\n`);
  },
});
