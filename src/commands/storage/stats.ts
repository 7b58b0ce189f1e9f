import type { Context, StoreStats } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { formatBytes, formatTable } from '../../terminal/format.ts';
import { formatJson } from '../../terminal/json.ts';
import { defineCommand, value } from '../command-line/command.ts';
import { jsonOption } from '../command-line/options.ts';
import { requireRoot, rootOption, whichStore } from './root-option.ts';

const defaultLimit = '10';
const maxNames = 20;

export const storageStats = defineCommand({
  name: 'storage stats',
  summary: "Show what takes space in a registry's store",
  description: `${whichStore}\n\nIt counts repositories, tags, manifests, blobs and their bytes, and lists the largest.`,
  arguments: [],
  options: {
    root: rootOption,
    limit: value('--limit <n>', `How many of the largest to list (default ${defaultLimit})`),
    json: jsonOption,
  },
  examples: [{ text: 'What takes space', command: 'storage stats --root images' }],
  run: ({ options }, context) => showStats(requireRoot(options.root, 'stats'), options, context),
});

async function showStats(
  root: string,
  { limit = defaultLimit, json }: { readonly limit: string | undefined; readonly json: boolean },
  { registryStats, terminal }: Context,
): Promise<void> {
  if (!/^\d{1,6}$/.test(limit)) {
    throw new OciError('USAGE', `invalid limit ${quote(limit)}`, { hint: 'a limit is a number, as in --limit 20' });
  }
  const stats = await registryStats(root, { limit: Number(limit) });
  for (const name of stats.unreadable.slice(0, maxNames)) {
    terminal.warn(
      `${name} is not counted, because a symbolic link or a file is in its place, or permissions are missing`,
    );
  }
  const more = stats.unreadable.length - maxNames;
  if (more > 0) terminal.warn(`${more} more are not counted for the same reason`);
  await terminal.out(json ? `${formatJson(stats)}\n` : await tablesOf(stats));
}

async function tablesOf(stats: StoreStats): Promise<string> {
  const { blobs, shared, unlinked, uploads, largestRepositories, largestBlobs } = stats;
  const sums = await formatTable([
    ['TYPE', 'TOTAL', 'SIZE'],
    ['Repositories', String(stats.repositories), ''],
    ['Tags', String(stats.tags), ''],
    ['Manifests', String(stats.manifests), ''],
    ['Blobs', String(blobs.count), formatBytes(blobs.bytes)],
    ['  in several repositories', String(shared.count), formatBytes(shared.bytes)],
    ['  in no repository', String(unlinked.count), formatBytes(unlinked.bytes)],
    ['Unfinished uploads', String(uploads.count), formatBytes(uploads.bytes)],
  ]);
  const repositories = await formatTable([
    ['REPOSITORY', 'TAGS', 'MANIFESTS', 'BLOBS', 'SIZE'],
    ...largestRepositories.map((each) => [
      each.name,
      String(each.tags),
      String(each.manifests),
      String(each.blobs),
      formatBytes(each.bytes),
    ]),
  ]);
  const largest = await formatTable([
    ['BLOB', 'REPOSITORIES', 'SIZE'],
    ...largestBlobs.map((each) => [each.digest, String(each.repositories), formatBytes(each.size)]),
  ]);
  return [sums, largestRepositories.length > 0 && repositories, largestBlobs.length > 0 && largest]
    .filter(Boolean)
    .join('\n');
}
