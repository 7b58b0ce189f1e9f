import type { Context } from '../app/context.ts';
import type { Reading } from '../image/layers/image-layers.ts';
import type { TreeNode } from '../image/tree/node.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { imageHelp } from '../places/places.ts';
import { defineCommand } from './command-line/command.ts';
import { contentOptions, layerOption, openFiles } from './inside/open-files.ts';
import { printGiven } from './inspect/print-given.ts';

/** On a terminal a file is made harmless as a whole. */
const maxShownBytes = 64 * 1024 * 1024;

export const cat = defineCommand({
  name: 'cat',
  summary: 'Print a file in an image',
  description:
    `${imageHelp('REF')} A name without a prefix is that of an image in the local store, if it has one.\n` +
    'The file is printed byte for byte, as a container would see it: links are followed inside the image. Layers are read from\n' +
    'the highest down, only as far as the answer needs.',
  arguments: [
    { label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true },
    { label: 'PATH', summary: 'The file in it', arity: 'one' },
  ],
  options: { layer: layerOption, ...contentOptions },
  examples: [
    { text: 'A file', command: 'cat alpine:3.20 /etc/os-release' },
    { text: 'Of another platform', command: 'cat --platform linux/arm64 alpine:3.20 /etc/apk/world' },
  ],
  async run({ words: [word = '', path = ''], options }, context) {
    await using opened = await openFiles(word, options, context, { reread: true, tables: true });
    const node = await opened.files.find(path, { follow: true });
    refuseOthers(node, path, word);
    for await (const { reading } of opened.files.contents([node])) await print(reading, context);
  },
});

/** @throws OciError USAGE for what has no content. */
function refuseOthers({ inode: { entry } }: TreeNode, path: string, word: string): void {
  const { type } = entry;
  if (type === 'file') return;
  const refuse = (what: string, hint?: string): never => {
    throw new OciError('USAGE', `${quote(path)} in ${word} is ${what}`, { hint });
  };
  if (type === 'directory') refuse('a directory', `ocictl files lists it, ocictl extract writes it to a directory`);
  if (type === 'link') refuse(`a hard link to ${quote(entry.linkname)}, which the image does not have`);
  refuse(type === 'fifo' ? 'a pipe' : 'a device', 'only files have content');
}

async function print(reading: Reading, context: Context): Promise<void> {
  const { terminal, signal } = context;
  if (terminal.out$.isTTY) {
    const { size } = reading.entry;
    if (size > maxShownBytes) {
      throw new OciError('TOO_LARGE', `the file has ${size} bytes, more than are shown on a terminal`, {
        hint: 'redirect it to a file: > FILE',
      });
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
    return printGiven(terminal, Buffer.concat(chunks));
  }
  await using output = await context.openOutput(undefined);
  for await (const chunk of reading.content()) {
    signal.throwIfAborted();
    await output.write(chunk);
    if (terminal.outClosed) return;
  }
  await output.finish({ signal });
}
