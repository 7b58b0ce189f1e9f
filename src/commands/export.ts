import { imageHelp } from '../places/places.ts';
import { defineCommand, value } from './command-line/command.ts';
import { contentOptions, layerOption, openFiles } from './inside/open-files.ts';

export const exportFiles = defineCommand({
  name: 'export',
  summary: 'Write the file system of an image as a tar archive',
  description:
    `${imageHelp('REF')} A name without a prefix is that of an image in the local store, if it has one.\n` +
    'The archive has what a container would see: layers on each other, with whiteouts applied and hard links kept. Owners, times\n' +
    'with fractions, extended attributes, devices and names in any encoding stay. The same image gives the same bytes.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    output: value('-o, --output <file>', 'The file to write; by default, or with -, standard output'),
    layer: layerOption,
    ...contentOptions,
  },
  examples: [
    { text: 'Into a file', command: 'export -o alpine.tar alpine:3.20' },
    { text: 'Unpacked', command: 'export alpine:3.20 | tar -xf - -C rootfs' },
    {
      text: 'One layer, without what it deletes',
      command: 'export --layer 2 registry.example.com/team/app:1 -o layer.tar',
    },
  ],
  async run({ words: [word = ''], options }, context) {
    const { signal, terminal } = context;
    await using opened = await openFiles(word, options, context, { reread: true });
    const { exportTar } = await import('../image/export.ts');
    await using output = await context.openOutput(options.output === '-' ? undefined : options.output);
    for await (const chunk of exportTar(opened.files)) {
      signal.throwIfAborted();
      await output.write(chunk);
      if (options.output === undefined && terminal.outClosed) return;
    }
    await output.finish({ signal });
  },
});
