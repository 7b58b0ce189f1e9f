import type { ImageUsage, StoreUsage } from '../app/context.ts';
import { formatBytes, formatTable } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { type ImageRow, imageHeadings, imageRow } from './images/rows.ts';

const headings = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Size: 'SIZE',
  Shared: 'SHARED',
  Reclaimable: 'RECLAIMABLE',
};
type Row = Readonly<Record<keyof typeof headings, string>>;

const detailHeadings = { ...imageHeadings, SharedSize: 'SHARED SIZE', UniqueSize: 'UNIQUE SIZE' };
type DetailRow = ImageRow & { readonly SharedSize: string; readonly UniqueSize: string };

export const df = defineCommand({
  name: 'df',
  summary: 'Show what takes space in the local store',
  description:
    'Images are counted with all their platforms that are in the store, and each blob once. SHARED is what several\n' +
    'images have in common; RECLAIMABLE is what ocictl prune would free. The sizes are those of the compressed layers.\n\n' +
    'With -v, a line for each image: UNIQUE SIZE is what its removal frees.',
  arguments: [],
  options: {
    // The global --verbose means requests, which this command does not make.
    each: flag('-v, --verbose', 'Show each image'),
    format: value('--format <template>', 'Print with a Go template, "table TEMPLATE", or json', { choices: ['json'] }),
    json: jsonOption,
  },
  examples: [
    { text: 'What takes space', command: 'df' },
    { text: 'Each image', command: 'df -v' },
    { text: 'What a prune would free, in bytes', command: 'df --json | jq .total.reclaimableBytes' },
  ],
  async run({ options: { each, format = 'table', json } }, { terminal, usage }) {
    const used = await usage();
    if (json) return terminal.out(`${formatJson(toJson(used))}\n`);
    const [rows, titles] = each ? [detailRows(used), detailHeadings] : [summaryRows(used), headings];
    const isTable = format === 'table' || format === '';
    const print = isTable ? tableOf(each) : (await import('../terminal/template.ts')).parseRowFormat(format, titles);
    await terminal.out(await print(rows));
  },
});

function tableOf(each: boolean) {
  const details = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize'];
  const fields = each ? details : Object.keys(headings);
  const titles: Readonly<Record<string, string>> = each ? detailHeadings : headings;
  return (rows: readonly Readonly<Record<string, string>>[]): Promise<string> =>
    formatTable([titles, ...rows].map((row) => fields.map((field) => row[field] ?? '')));
}

function summaryRows({ inImages, shared, unused, unfinished, total }: StoreUsage): readonly Row[] {
  return [
    row('Images', { ...inImages, shared: shared.bytes }),
    row('Unused blobs', unused),
    row('Unfinished transfers', unfinished),
    row('Total', total),
  ];
}

interface Figures {
  readonly count?: number;
  readonly bytes: number;
  readonly shared?: number;
  readonly reclaimableBytes: number | undefined;
}

function row(type: string, { count, bytes, shared, reclaimableBytes }: Figures): Row {
  return {
    Type: type,
    TotalCount: count === undefined ? '' : String(count),
    Size: formatBytes(bytes),
    Shared: shared === undefined ? '' : formatBytes(shared),
    Reclaimable: reclaimableBytes === undefined ? 'unknown' : reclaimed(reclaimableBytes, bytes),
  };
}

/** `12MB (40%)`, as Docker shows it. */
function reclaimed(bytes: number, of: number): string {
  return `${formatBytes(bytes)}${of > 0 ? ` (${Math.floor((100 * bytes) / of)}%)` : ''}`;
}

function detailRows({ images }: StoreUsage): readonly DetailRow[] {
  const now = new Date();
  return images.map(({ image, uniqueBytes, sharedBytes }) => ({
    ...imageRow(image, { now, whole: false }),
    SharedSize: formatBytes(sharedBytes),
    UniqueSize: formatBytes(uniqueBytes),
  }));
}

function toJson({ images, inImages, shared, unused, unfinished, total }: StoreUsage): unknown {
  return {
    images: { ...orNull(inImages), sharedBytes: shared.bytes },
    unused: orNull(unused),
    unfinished: orNull(unfinished),
    total: orNull(total),
    each: images.map(imageJson),
  };
}

function orNull<T extends { readonly reclaimableBytes: number | undefined }>(space: T) {
  return { ...space, reclaimableBytes: space.reclaimableBytes ?? null };
}

function imageJson({ image, uniqueBytes, sharedBytes }: ImageUsage): unknown {
  const { name, tag, root, id, sizeBytes } = image;
  return { repository: name, tag: tag ?? null, digest: root.digest, id, sizeBytes, uniqueBytes, sharedBytes };
}
