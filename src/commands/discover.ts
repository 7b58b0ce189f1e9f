import { referrersTree } from '../artifacts/tree/referrers-tree.ts';
import { OciError } from '../model/errors.ts';
import { imageHelp } from '../places/places.ts';
import { parseTemplate } from '../terminal/template.ts';
import { defineCommand, list, value } from './command-line/command.ts';
import { parseCount, parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';
import { assemble } from './discover/assemble.ts';
import { lineMaker, treeJson, treeLines, treeRecord, writePieces } from './discover/render.ts';
import { Inspection } from './inspect/gather.ts';
import { printGiven } from './inspect/print-given.ts';

export const discover = defineCommand({
  name: 'discover',
  summary: 'List what is attached to an image, such as signatures',
  description:
    `${imageHelp('REF')}\n` +
    'Prints a tree: manifests that name the image as their subject, and what is attached to those in turn; the tags\n' +
    "sha256-HEX.sig, .att and .sbom, which cosign uses; BuildKit's attestations. Of an index, what is attached to its images\n" +
    'is listed below each of them.\n\n' +
    'A registry without the referrers API has a list under a tag, which clients write. Its entries count only if their\n' +
    'manifests name the image. A list that cannot be read is an error, never an empty list.\n\n' +
    '--json prints one object with nested referrers, under the names that oras uses, and kind, tag, platform and\n' +
    'predicateTypes. --format takes a Go template for the same fields.',
  arguments: [{ label: 'REF', summary: 'The image or artifact', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    artifactType: list('--artifact-type <type>', 'Only this type, and what leads to it; may be repeated'),
    depth: value('--depth <n>', 'How many levels to look for (default 0: all of them)'),
    platform: value('--platform <os/arch>', 'What is attached to the image for this platform'),
    json: jsonOption,
    format: value('--format <template>', 'Print by a Go template, or json', { choices: ['json'] }),
    ...readingOptions,
  },
  examples: [
    { text: 'Signatures and SBOMs of an image', command: 'discover registry.example.com/team/app:1.0' },
    {
      text: 'The digests of its SBOMs',
      command:
        'discover --artifact-type application/spdx+json --depth 1 --format \'{{range .referrers}}{{.digest}}{{"\\n"}}{{end}}\' registry.example.com/team/app:1.0',
    },
  ],
  async run({ words: [word = ''], options }, context) {
    const { terminal, signal } = context;
    if (options.json && options.format !== undefined && options.format !== 'json') {
      throw new OciError('USAGE', 'conflicting options: --json and --format', {
        hint: 'each of them says what to print',
      });
    }
    const format = options.json ? 'json' : options.format;
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format, { fields });
    const depth = parseCount('--depth', options.depth) || undefined;
    const platform = options.platform === undefined ? undefined : parseOnePlatform(options.platform);
    await using place = await context.openPlace(word, 'source', options);
    const how = { platform: platform ?? (await context.defaultPlatform()), explicit: platform !== undefined, signal };
    const inspection = new Inspection(place, how);
    const { descriptor } = await (platform ? inspection.image() : inspection.root());
    const beside = platform ? (await inspection.entries()).flatMap(({ attestations }) => attestations) : [];
    const found = referrersTree(place, descriptor, { depth, beside, signal });
    const root = { name: place.name, repository: place.repository, descriptor };
    const { digest } = descriptor;
    if (format === undefined) {
      const tree = await assemble(digest, found, options.artifactType, lineMaker());
      return writePieces(terminal, treeLines(root, tree, terminal));
    }
    const tree = await assemble(digest, found, options.artifactType, (node) => node);
    if (template) return printGiven(terminal, template.render(treeRecord(root, tree)));
    return writePieces(terminal, treeJson(root, tree));
  },
});

/** The fields of the record, for templates. */
const fields = ['reference', 'mediaType', 'digest', 'size', 'referrers'];
