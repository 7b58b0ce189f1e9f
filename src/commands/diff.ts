import type { Context } from '../app/context.ts';
import type { FileChange } from '../image/diff.ts';
import type { LayerEntry } from '../image/layers/layer-entry.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { visible } from '../model/quote.ts';
import { imageHelp } from '../places/places.ts';
import { counted, formatBytes } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag } from './command-line/command.ts';
import { differs } from './command-line/exit-status.ts';
import { jsonOption } from './command-line/options.ts';
import { type ConfigChange, configChanges } from './inside/config-changes.ts';
import { named, printLines, shownName } from './inside/entry-lines.ts';
import { insideOptions, type OpenedFiles, openFiles } from './inside/open-files.ts';

/** A line of a value of the config is not longer. */
const maxValue = 200;

export const diff = defineCommand({
  name: 'diff',
  summary: 'Compare two images',
  description:
    `${imageHelp('A')} The same for B.\n` +
    'Shows the manifests, what differs in the configs, the layers that both have, and the files that are only in B (+), only in\n' +
    'A (-), or in both and not the same (~), with what differs. Times are not compared. Files of the same size are compared by\n' +
    'their digests; layers that both images have are not read for that.',
  arguments: [
    { label: 'A', summary: 'The first image', arity: 'one', completes: 'image', storeToo: true },
    { label: 'B', summary: 'The other image', arity: 'one', completes: 'image', storeToo: true },
  ],
  options: {
    exitCode: flag('--exit-code', 'End with status 12 if they differ'),
    json: jsonOption,
    ...insideOptions,
  },
  examples: [
    {
      text: 'What changed between two tags',
      command: 'diff registry.example.com/team/app:1 registry.example.com/team/app:2',
    },
    {
      text: 'Whether a build gave the same image',
      command: 'diff --exit-code oci:build registry.example.com/team/app:1',
    },
  ],
  async run({ words: [first = '', second = ''], options }, context) {
    await using a = await openFiles(first, options, context, { reread: true, tables: true });
    await using b = await openFiles(second, options, context, { reread: true, tables: true });
    const found = await compare(a, b);
    await (options.json ? printJson(found, { a, b }, context) : printLines(context.terminal, linesOf(found, { a, b })));
    return options.exitCode && !found.isSame ? differs : 0;
  },
});

interface Compared {
  readonly isSame: boolean;
  readonly config: readonly ConfigChange[];
  readonly layers: {
    readonly common: readonly Descriptor[];
    readonly removed: readonly Descriptor[];
    readonly added: readonly Descriptor[];
  };
  readonly files: readonly FileChange[];
}

async function compare(a: OpenedFiles, b: OpenedFiles): Promise<Compared> {
  const [before, after] = [layersOf(a), layersOf(b)];
  const [inA, inB] = [new Set(before.map(({ digest }) => digest)), new Set(after.map(({ digest }) => digest))];
  const layers = {
    common: before.filter(({ digest }) => inB.has(digest)),
    removed: before.filter(({ digest }) => !inB.has(digest)),
    added: after.filter(({ digest }) => !inA.has(digest)),
  };
  if (a.image.descriptor.digest === b.image.descriptor.digest) return { isSame: true, config: [], layers, files: [] };
  const config = configChanges(await a.inspection.configBytes(a.image), await b.inspection.configBytes(b.image));
  const { diffFiles } = await import('../image/diff.ts');
  const isOneTree =
    JSON.stringify(before.map(({ digest }) => digest)) === JSON.stringify(after.map(({ digest }) => digest));
  const files = isOneTree ? [] : await diffFiles({ files: a.files, layers: before }, { files: b.files, layers: after });
  return { isSame: false, config, layers, files };
}

function layersOf({ image: { view } }: OpenedFiles): readonly Descriptor[] {
  return view.kind === 'image' ? view.layers : [];
}

interface Sides {
  readonly a: OpenedFiles;
  readonly b: OpenedFiles;
}

function* linesOf({ isSame, config, layers, files }: Compared, { a, b }: Sides): Generator<string> {
  const [from, to] = [a.image.descriptor, b.image.descriptor];
  if (isSame) return yield `The images are the same: ${from.digest}`;
  yield `Manifest: ${from.digest} -> ${to.digest}`;
  for (const { field, before, after } of config)
    yield `Config:   ${visible(field)}: ${shownValue(before)} -> ${shownValue(after)}`;
  yield `Layers:   ${layers.common.length} in both, ${sizes(layers.removed)} only in the first, ${sizes(layers.added)} only in the second`;
  const count = (change: FileChange['change']): number => files.filter((file) => file.change === change).length;
  yield `Files:    ${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`;
  for (const file of files) yield fileLine(file);
}

function sizes(layers: readonly Descriptor[]): string {
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  return layers.length === 0 ? '0' : `${layers.length} (${formatBytes(total)})`;
}

function shownValue(value: unknown): string {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return visible(text.length > maxValue ? `${text.slice(0, maxValue)}…` : text);
}

function fileLine({ path, change, before, after, differs: what }: FileChange): string {
  const size = (entry: LayerEntry | undefined): string =>
    entry?.type === 'file' ? `  ${counted(entry.size, 'byte')}` : '';
  if (change === 'added') return `+ ${shownName(path)}${size(after)}`;
  if (change === 'removed') return `- ${shownName(path)}${size(before)}`;
  const sizes = what.includes('size') ? `  ${before?.size} -> ${counted(after?.size ?? 0, 'byte')}` : size(after);
  return `~ ${shownName(path)}${sizes}  (${what.join(', ')})`;
}

async function printJson(found: Compared, { a, b }: Sides, { terminal }: Context): Promise<void> {
  const of = ({ image: { descriptor }, place }: OpenedFiles): object => ({
    reference: place.name,
    digest: descriptor.digest,
  });
  const layer = ({ digest, size }: Descriptor): object => ({ digest, size });
  const entry = (one: LayerEntry | undefined) =>
    one && {
      type: one.type,
      mode: `0${one.mode.toString(8).padStart(3, '0')}`,
      uid: one.uid,
      gid: one.gid,
      size: one.size,
    };
  const document = {
    a: of(a),
    b: of(b),
    same: found.isSame,
    config: found.config,
    layers: {
      common: found.layers.common.map(layer),
      removed: found.layers.removed.map(layer),
      added: found.layers.added.map(layer),
    },
    files: found.files.map(({ path, change, before, after, differs: what }) => ({
      ...named('path', path),
      change,
      before: entry(before),
      after: entry(after),
      ...(what.length > 0 && { differs: what }),
    })),
  };
  await terminal.out(`${formatJson(document)}\n`);
}
