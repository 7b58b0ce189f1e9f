import type { LocalImage } from '../app/context.ts';
import { formatPlatform } from '../model/platform/platform.ts';
import { familiarName, parseReference } from '../model/reference/reference.ts';
import { formatTable } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';
import { type ImageFilter, parseImageFilters } from './images/filters.ts';
import { type ImageRow, imageHeadings, imageRow } from './images/rows.ts';

export const images = defineCommand({
  name: 'images',
  summary: 'List the images of the local store',
  description:
    'SIZE is the space of the image in the store: its compressed layers and configs, for all platforms that are there.',
  arguments: [
    { label: 'NAME[:TAG]', summary: 'Only this repository or image', arity: 'optional', completes: 'stored' },
  ],
  options: {
    all: flag('-a, --all', 'List all images, as it does anyway'),
    quiet: flag('-q, --quiet', 'Print only image IDs'),
    digests: flag('--digests', 'Show the digest of what each tag points at'),
    noTrunc: flag('--no-trunc', 'Do not shorten image IDs'),
    filter: list('-f, --filter <name=value>', 'Only reference=PATTERN, or dangling=true; may be repeated'),
    format: value('--format <template>', 'Print with a Go template, "table TEMPLATE", or json', { choices: ['json'] }),
    json: jsonOption,
  },
  examples: [
    { text: 'Everything in the store', command: 'images' },
    { text: 'For a script', command: 'images --json' },
    { text: 'Only names', command: "images --format '{{.Repository}}:{{.Tag}}'" },
  ],
  async run({ words, options }, { terminal, images }) {
    const { name, wanted } = wantedBy(words[0], parseImageFilters(options.filter));
    const { format = 'table', json, quiet, noTrunc: whole, digests } = options;
    const print = format === 'table' || format === '' ? tableOf(digests) : await templated(format);
    const now = new Date();
    const rows: ImageRow[] = [];
    for await (const image of images(name)) {
      if (!wanted(image)) continue;
      const row = imageRow(image, { now, whole });
      if (json) await terminal.out(`${formatJson(toJson(image))}\n`);
      else if (quiet) await terminal.out(`${row.ID}\n`);
      else rows.push(row);
    }
    if (!json && !quiet) await terminal.out(await print(rows));
  },
});

/** What the argument says. */
function wantedBy(
  word: string | undefined,
  filter: ImageFilter,
): { readonly name?: string; readonly wanted: ImageFilter } {
  if (word === undefined) return { wanted: filter };
  const { tag, digest, ...repository } = parseReference(word);
  const wanted: ImageFilter = (image) => {
    if (tag !== undefined && image.tag !== tag) return false;
    return (digest === undefined || image.root.digest === digest) && filter(image);
  };
  return { name: familiarName(repository), wanted };
}

function tableOf(digests: boolean): (rows: readonly ImageRow[]) => Promise<string> {
  const fields = [
    'Repository',
    'Tag',
    ...(digests ? (['Digest'] as const) : []),
    'ID',
    'CreatedSince',
    'Size',
  ] as const;
  return (rows) => formatTable([imageHeadings, ...rows].map((row) => fields.map((field) => row[field])));
}

async function templated(format: string): Promise<(rows: readonly ImageRow[]) => Promise<string>> {
  return (await import('../terminal/template.ts')).parseRowFormat(format, imageHeadings);
}

function toJson(image: LocalImage): unknown {
  return {
    repository: image.name,
    tag: image.tag ?? null,
    digest: image.root.digest,
    mediaType: image.root.mediaType,
    id: image.id,
    created: image.created?.toISOString() ?? null,
    sizeBytes: image.sizeBytes,
    missing: image.missing,
    platforms: image.platforms.map(({ platform, digest, present }) => ({
      platform: formatPlatform(platform),
      digest,
      present,
    })),
  };
}
