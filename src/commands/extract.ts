import { OciError } from '../model/errors.ts';
import { imageHelp } from '../places/places.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, value } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { contentOptions, layerOption, openFiles } from './inside/open-files.ts';

export const extract = defineCommand({
  name: 'extract',
  summary: 'Write files of an image to a directory',
  description:
    `${imageHelp('REF')} A name without a prefix is that of an image in the local store, if it has one.\n` +
    'A file or directory is written to DIR/PATH, with its modes and times. Nothing is written outside of DIR: links that begin at\n' +
    "the image's root begin at DIR. Owners are not kept; devices and pipes are left out, and named on stderr. All of it appears,\n" +
    'or nothing does.',
  arguments: [
    { label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true },
    { label: 'PATH', summary: 'A file or directory in it; / is all of it', arity: 'many' },
  ],
  options: {
    output: value('-o, --output <dir>', 'The directory to write to; it is made'),
    layer: layerOption,
    json: jsonOption,
    ...contentOptions,
  },
  examples: [
    { text: 'A file, to out/etc/os-release', command: 'extract alpine:3.20 /etc/os-release -o out' },
    { text: 'All of it', command: 'extract alpine:3.20 / -o rootfs' },
  ],
  async run({ words: [word = '', ...paths], options }, context) {
    const { output, json } = options;
    if (output === undefined || output === '-') {
      throw new OciError('USAGE', 'extract needs a directory', {
        hint: 'name it with -o DIR; ocictl cat prints a file',
      });
    }
    const { partsOf } = await import('../image/tree/paths.ts');
    // Of all of it, a table of contents saves nothing, and the layers say more.
    const tables = !paths.some((path) => (partsOf(path) ?? []).length === 0);
    await using opened = await openFiles(word, options, context, { reread: true, tables });
    const { extractFiles } = await import('../image/extract/extract.ts');
    const { terminal, signal } = context;
    const result = await extractFiles(opened.files, paths, {
      directory: output,
      onSkip: (text) => terminal.warn(text),
      signal,
    });
    const { changedLinks } = result;
    if (changedLinks > 0) {
      terminal.note(
        `${changedLinks} ${changedLinks === 1 ? 'link leads' : 'links lead'} to the same files in ${output}`,
      );
    }
    for (const path of result.paths) await terminal.out(`${json ? formatJson({ path }) : path}\n`);
  },
});
