import type { RemovedImage } from '../app/context.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { formatBytes } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';

export const rmi = defineCommand({
  name: 'rmi',
  summary: 'Remove images from the local store',
  description:
    'A tag is taken away; when it was the last one of its image, the image goes too, and every blob that nothing else\n' +
    'in the store needs. An image is named as in ocictl images, by tag, by digest or by image ID.',
  arguments: [{ label: 'IMAGE', summary: 'Name, digest or image ID', arity: 'many', completes: 'image' }],
  options: {
    force: flag('-f, --force', 'Remove an ID or digest with all its tags; do not mind an image that is not there'),
    json: jsonOption,
  },
  examples: [
    { text: 'One tag', command: 'rmi alpine:3.20' },
    { text: 'Everything', command: 'rmi --force $(ocictl images --quiet)' },
  ],
  async run({ words, options }, context) {
    const { out, note } = context.terminal;
    const failures: OciError[] = [];
    for (const word of words) {
      try {
        const { untagged, deleted, freedBytes, stillNamed, kept } = await context.removeImage(word, {
          force: options.force,
        });
        if (options.json) {
          await out(`${formatJson({ image: word, untagged, deleted, freedBytes, stillNamed, kept })}\n`);
          continue;
        }
        for (const name of untagged) await out(`Untagged: ${name}\n`);
        for (const digest of deleted) await out(`Deleted: ${digest}\n`);
        if (stillNamed.length > 0) note(`the image stays, as ${stillNamed.join(', ')}`);
        for (const each of kept) note(keptLine(each));
      } catch (error) {
        if (!isOciError(error) || error.code === 'CANCELLED' || words.length === 1) throw error;
        failures.push(error);
        note(`${word}: ${error.message}`);
      }
    }
    const [first] = failures;
    if (!first) return;
    if (failures.length === words.length) throw first;
    throw new OciError('PARTLY_FAILED', `${failures.length} of ${words.length} images could not be removed`);
  },
});

function keptLine({ count, bytes, usedBy }: RemovedImage['kept'][number]): string {
  const size = formatBytes(bytes);
  if (usedBy !== undefined) return `kept ${count} layer${count === 1 ? '' : 's'} (${size}) that ${usedBy} uses`;
  const blobs = `${count} blob${count === 1 ? '' : 's'} (${size})`;
  return `kept ${blobs} that a running pull, push or copy counts on; ocictl prune frees what it leaves`;
}
