import type { RemovedImage } from '../app/context.ts';
import { formatBytes } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp } from './command-line/several.ts';

export const rmi = defineCommand({
  name: 'rmi',
  summary: 'Remove images from the local store',
  description:
    'Removes a tag. With its last tag, an image is removed too, and every blob that nothing else in the store needs. An\n' +
    'image is named as in ocictl images: by tag, by digest or by image ID.\n\n' +
    severalHelp,
  arguments: [
    {
      label: 'IMAGE',
      summary: 'Name, digest or image ID; - reads them from standard input',
      arity: 'many',
      completes: 'stored',
    },
  ],
  options: {
    force: flag('-f, --force', 'Remove an ID or digest with all its tags; ignore a missing image'),
    json: jsonOption,
  },
  examples: [
    { text: 'One tag', command: 'rmi alpine:3.20' },
    { text: 'Everything', command: 'rmi --force $(ocictl images --quiet)' },
  ],
  async run({ words, options }, context) {
    const { terminal } = context;
    const { out, note } = terminal;
    const { force, json } = options;
    const references = await readReferences(words, context);
    // In turn: what an image frees depends on those that went before.
    await forEachReference(references, { terminal, what: 'removed', atOnce: 1 }, async (word) => {
      const { untagged, deleted, freedBytes, stillNamed, kept } = await context.removeImage(word, { force });
      return async () => {
        if (json) return out(`${formatJson({ image: word, untagged, deleted, freedBytes, stillNamed, kept })}\n`);
        for (const name of untagged) await out(`Untagged: ${name}\n`);
        for (const digest of deleted) await out(`Deleted: ${digest}\n`);
        if (stillNamed.length > 0) note(`the image stays, as ${stillNamed.join(', ')}`);
        for (const each of kept) note(keptLine(each));
      };
    });
  },
});

function keptLine({ count, bytes, usedBy }: RemovedImage['kept'][number]): string {
  const size = formatBytes(bytes);
  if (usedBy !== undefined) return `kept ${count} layer${count === 1 ? '' : 's'} (${size}) that ${usedBy} uses`;
  const blobs = `${count} blob${count === 1 ? '' : 's'} (${size})`;
  return `kept ${blobs} that a running pull, push or copy counts on; ocictl prune frees what it leaves`;
}
