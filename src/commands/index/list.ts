import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { formatPlatform, platformObject } from '../../model/platform/platform.ts';
import { quote, visible } from '../../model/quote.ts';
import { readFrom } from '../../places/place.ts';
import { imageHelp } from '../../places/places.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand } from '../command-line/command.ts';
import { jsonOption, readingOptions } from '../command-line/options.ts';

export const indexList = defineCommand({
  name: 'index list',
  summary: 'List what an index names',
  description:
    `${imageHelp('REF')}\n` +
    'One line for each entry, in the order of the index: digest, size in bytes, platform, media type and annotations,\n' +
    'separated by tabs. What an entry has not is -. The size is that of the manifest. Entries need not be there.',
  arguments: [{ label: 'REF', summary: 'The index', arity: 'one', completes: 'image', storeToo: true }],
  options: { json: jsonOption, ...readingOptions },
  examples: [
    { text: 'The digests of all platforms', command: 'index list alpine:3.20' },
    { text: 'For a program', command: "index list --json alpine:3.20 | jq -r '.manifests[].digest'" },
  ],
  async run({ words: [word = ''], options }, context) {
    const { terminal, signal } = context;
    await using place = await context.openPlace(word, 'source', options);
    const { registry, repo } = place;
    const { view, mediaType, descriptor } = await readFrom(place, () =>
      registry.getManifest(repo, place.reference, { signal }),
    );
    if (view.kind !== 'index') {
      throw new OciError('UNSUPPORTED', `${place.name} is no index: it has the type ${quote(mediaType)}`, {
        hint: 'ocictl manifest get prints it, ocictl inspect shows what it consists of',
      });
    }
    const named = (digest: Digest): string => `${place.repository}@${digest}`;
    if (options.json) {
      const { artifactType, annotations, subject } = view;
      const manifests = view.manifests.map(({ data: _, platform, ...entry }) => ({
        reference: named(entry.digest),
        ...entry,
        platform: platform && platformObject(platform),
      }));
      const { digest, size } = descriptor;
      const record = {
        reference: named(digest),
        mediaType,
        digest,
        size,
        artifactType,
        subject,
        annotations,
        manifests,
      };
      return await terminal.out(`${formatJson(record)}\n`);
    }
    for (const entry of view.manifests) await terminal.out(`${line(entry)}\n`);
  },
});

function line({ digest, size, platform, mediaType, annotations = {} }: Descriptor): string {
  const pairs = Object.entries(annotations).map(([name, value]) => `${name}=${value}`);
  const fields = [digest, String(size), platform ? formatPlatform(platform) : '-', mediaType, pairs.join(',') || '-'];
  return fields.map(visible).join('\t');
}
