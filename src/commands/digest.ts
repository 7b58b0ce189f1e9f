import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { credentialOptions, jsonOption, serviceOptions } from './command-line/options.ts';
import { Inspection } from './inspect/gather.ts';
import { orNoSuchImage } from './inspect/no-such-image.ts';

export const digest = defineCommand({
  name: 'digest',
  summary: 'Print the digest of an image',
  description:
    'REF is an image in a registry, oci:DIR[:TAG] for an OCI layout, or store:NAME for an image of the local store.\n' +
    'Of an image for several platforms it is the digest of the whole, unless --platform names one. A registry is asked by HEAD,\n' +
    'which does not count as a pull.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    platform: value('--platform <os/arch>', 'The digest of the image for this platform'),
    fullRef: flag('--full-ref', 'Print the full name with the digest, NAME@DIGEST'),
    json: jsonOption,
    ...serviceOptions,
    ...credentialOptions,
  },
  examples: [
    { text: 'What a tag points at', command: 'digest alpine:3.20' },
    { text: 'The image for one platform', command: 'digest --platform linux/arm64 alpine:3.20' },
  ],
  async run({ words, options }, context) {
    const platform = options.platform === undefined ? undefined : parseOnePlatform(options.platform);
    const { terminal, signal } = context;
    const end = await context.openPlace(words[0] ?? '', 'source', options);
    const descriptor = platform
      ? (await new Inspection(end, { platform, explicit: true, signal }).image()).descriptor
      : await orNoSuchImage(end, () => end.registry.statManifest(end.repo, end.reference, { signal }));
    const { digest, mediaType, size } = descriptor;
    const shown = options.fullRef ? `${end.repository}@${digest}` : digest;
    await terminal.out(`${options.json ? formatJson({ digest, mediaType, size }) : shown}\n`);
  },
});
