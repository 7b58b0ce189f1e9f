import type { TreeNode } from '../image/tree/node.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { entryRecord, longLine, printLines, shownName } from './inside/entry-lines.ts';
import { insideOptions, layerOption, openFiles } from './inside/open-files.ts';

export const files = defineCommand({
  name: 'files',
  summary: 'List the files in an image',
  description:
    `${imageHelp('REF')} A name without a prefix is that of an image in the local store, if it has one.\n` +
    'Lists what a directory holds, by default the root, as a container would see it: layers on each other, with whiteouts and\n' +
    'links. PATH is followed inside the image. Of a file, the file alone. With --layer, the whiteouts of the layer are listed\n' +
    'too, as .wh.NAME. What is learned of layers is kept in the cache, and the next time no layer is read.',
  arguments: [
    { label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true },
    { label: 'PATH', summary: 'A directory or file in it; default /', arity: 'optional' },
  ],
  options: {
    long: flag('-l, --long', 'With type, mode, owner, size and time'),
    recursive: flag('-R, --recursive', 'With all that is in directories'),
    layer: layerOption,
    json: jsonOption,
    ...insideOptions,
  },
  examples: [
    { text: 'The root of an image', command: 'files alpine:3.20' },
    { text: 'All that is in a directory, with sizes', command: 'files -lR alpine:3.20 /etc' },
    { text: 'What a layer adds and deletes', command: 'files -R --layer 2 registry.example.com/team/app:1' },
    {
      text: 'The largest files, for a script',
      command: "files -R --json alpine:3.20 | jq -rs 'sort_by(-.size) | .[:5][].path'",
    },
  ],
  async run({ words: [word = '', path = '/'], options }, context) {
    await using opened = await openFiles(word, options, context, { reread: false, tables: true, whiteouts: true });
    const { root } = await opened.files.tree();
    const found = path === '/' ? root : await opened.files.find(path, { follow: true });
    const { pathOf } = await import('../image/tree/node.ts');
    const { walk } = await import('../image/tree/walk.ts');
    const start = `/${pathOf(found)}`;
    const list = function* (): Generator<string> {
      if (!found.children) return yield lineOf(start, found);
      const before = start === '/' ? '/' : `${start}/`;
      for (const { path: below, node } of walk(found, { deep: options.recursive })) yield lineOf(before + below, node);
    };
    const lineOf = (name: string, node: TreeNode): string => {
      if (options.json) return formatJson(entryRecord(name, node));
      return options.long ? longLine(name, node) : shownName(name);
    };
    await printLines(context.terminal, list());
  },
});
