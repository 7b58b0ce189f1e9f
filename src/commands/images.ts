import type { LocalImage } from '../app.ts';
import { shortDigest } from '../model/digest.ts';
import { formatPlatform } from '../model/platform.ts';
import { familiarName, parseReference } from '../model/reference.ts';
import { formatAge, formatBytes, formatTable } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';

import { defineCommand, flag } from './command.ts';
import { jsonOption } from './options.ts';

export const images = defineCommand({
  name: 'images',
  summary: 'List the images of the local store',
  description:
    'SIZE is what the image takes in the store: its compressed layers and configs, of all platforms that are here.',
  arguments: [{ label: 'NAME[:TAG]', summary: 'Only this repository or image', arity: 'optional', completes: 'image' }],
  options: {
    quiet: flag('-q, --quiet', 'Print only image IDs'),
    digests: flag('--digests', 'Show the digest of what each tag points at'),
    noTrunc: flag('--no-trunc', 'Do not shorten image IDs'),
    json: jsonOption,
  },
  examples: [
    { text: 'Everything in the store', command: 'images' },
    { text: 'For a script', command: 'images --json' },
  ],
  async run({ words, options }, context) {
    const wanted = words[0] === undefined ? undefined : parseReference(words[0]);
    const name = wanted && familiarName(wanted);
    const now = new Date();
    const id = (image: LocalImage): string => (options.noTrunc ? image.id : shortDigest(image.id));
    const rows: string[][] = [];
    for await (const image of context.images()) {
      if (name !== undefined && (image.name !== name || (wanted?.tag !== undefined && image.tag !== wanted.tag)))
        continue;
      if (options.json) await context.terminal.out(`${formatJson(toJson(image))}\n`);
      else if (options.quiet) await context.terminal.out(`${id(image)}\n`);
      else {
        rows.push([
          image.name,
          image.tag ?? '<none>',
          ...(options.digests ? [image.root.digest] : []),
          id(image),
          image.created ? formatAge(image.created, now) : 'N/A',
          formatBytes(image.sizeBytes),
        ]);
      }
    }
    if (options.json || options.quiet) return;
    const heading = ['REPOSITORY', 'TAG', ...(options.digests ? ['DIGEST'] : []), 'IMAGE ID', 'CREATED', 'SIZE'];
    await context.terminal.out(formatTable([heading, ...rows]));
  },
});

function toJson(image: LocalImage): unknown {
  return {
    repository: image.name,
    tag: image.tag ?? null,
    digest: image.root.digest,
    mediaType: image.root.mediaType,
    id: image.id,
    created: image.created?.toISOString() ?? null,
    sizeBytes: image.sizeBytes,
    platforms: image.platforms.map(({ platform, digest, present }) => ({
      platform: formatPlatform(platform),
      digest,
      present,
    })),
  };
}
