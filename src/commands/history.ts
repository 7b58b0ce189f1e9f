import type { LayerUsage } from '../image/layer-usage.ts';
import { visible } from '../model/quote.ts';
import { imageHelp } from '../places/places.ts';
import { counted, formatBytes } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { shownName } from './inside/entry-lines.ts';
import { insideOptions, openFiles } from './inside/open-files.ts';
import { stepsOf } from './inspect/layers.ts';

const largestFiles = 5;

export const history = defineCommand({
  name: 'history',
  summary: 'Show what made each layer of an image, and its size',
  description:
    `${imageHelp('REF')} A name without a prefix is that of an image in the local store, if it has one.\n` +
    'The oldest step comes first. Layers are numbered as --layer counts them; a step without a number made none. Sizes are\n' +
    'those of the compressed layers. --files reads the layers: it shows the files that take the most space in each, and how\n' +
    'many bytes later layers hide, which are downloaded and never seen.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    files: flag('--files', 'Show the largest files of each layer, and the bytes that later layers hide'),
    json: jsonOption,
    ...insideOptions,
  },
  examples: [
    { text: 'The steps of a build', command: 'history alpine:3.20' },
    { text: 'What takes space', command: 'history --files registry.example.com/team/app:1' },
  ],
  async run({ words: [word = ''], options }, context) {
    const { terminal } = context;
    await using opened = await openFiles(word, options, context, { reread: false, tables: true });
    const { image, inspection, files } = opened;
    const config = await inspection.config(image);
    const layers = image.view.kind === 'image' ? image.view.layers : [];
    const { layerUsage } = await import('../image/layer-usage.ts');
    const usage = options.files ? await layerUsage(files, largestFiles) : [];
    let number = 0;
    for (const { layer, line } of stepsOf(layers, config?.history ?? [])) {
      if (layer) number += 1;
      const used = layer && usage[number - 1];
      if (options.json) {
        const { created, createdBy, author, comment } = line ?? {};
        await terminal.out(
          `${formatJson({
            ...(layer && { layer: number, digest: layer.digest, mediaType: layer.mediaType, size: layer.size }),
            ...(line && { createdBy, created, ...(author && { author }), ...(comment && { comment }) }),
            ...(used && { files: used.files, bytes: used.bytes, hiddenBytes: used.hiddenBytes, largest: used.largest }),
          })}\n`,
        );
        continue;
      }
      const columns = [layer ? String(number) : '', layer ? formatBytes(layer.size) : ''];
      const command = visible(line?.createdBy || line?.comment || '').replace(/^\/bin\/sh -c (?:#\(nop\) +)?/, '');
      await terminal.out(`${columns[0]?.padStart(3)}  ${columns[1]?.padStart(9)}  ${command}`.trimEnd().concat('\n'));
      for (const text of used ? usedLines(used) : []) await terminal.out(`${' '.repeat(16)}${text}\n`);
    }
  },
});

function usedLines({ files, bytes, hiddenBytes, largest }: LayerUsage): readonly string[] {
  const hidden = hiddenBytes > 0 ? `, of which later layers hide ${formatBytes(hiddenBytes)}` : '';
  return [
    `${counted(files, 'file')}, ${formatBytes(bytes)}${hidden}`,
    ...largest.map(
      ({ path, size, hidden: is }) => `${formatBytes(size).padStart(9)}  ${shownName(path)}${is ? ' (hidden)' : ''}`,
    ),
  ];
}
