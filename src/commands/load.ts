import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { parsePlatform } from '../model/platform/platform.ts';
import { quote, visible } from '../model/quote.ts';
import { formatReference } from '../model/reference/reference.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { jsonOption, platformWords, policyOption, progressOption } from './command-line/options.ts';
import { chooseImages } from './load/choose.ts';
import { loadInto } from './load/daemon.ts';
import type { LoadedImage } from './load/outcome.ts';
import { loadIntoStore } from './load/store.ts';
import { withProgress } from './moving/run-batch.ts';

export const load = defineCommand({
  name: 'load',
  summary: 'Load images from an archive into the local store',
  description:
    'The archive is one that ocictl save, docker save, podman save, skopeo, crane, regctl, oras, ctr or buildx wrote, also\n' +
    'compressed with gzip or zstd. Without -i it is read from standard input.\n\n' +
    'Images keep the names that they have in the archive. One that has only a tag there becomes localhost/loaded:TAG, and one\n' +
    'without a name is found by its digest. IMAGE chooses some by name or digest. Of an index, the images that are there are\n' +
    'loaded, and the others are named. An image that is not complete, in the archive and the store together, is not loaded.',
  arguments: [{ label: 'IMAGE', summary: 'Images of the archive; all of them by default', arity: 'any' }],
  options: {
    input: value('-i, --input <file>', 'The archive; by default, or with -, standard input'),
    platform: list('--platform <os/arch>', 'Platforms to load, comma-separated', { choices: platformWords }),
    into: value('--into <place>', 'Where to load to: store: (default) or docker-daemon:'),
    receipt: value('--receipt <file>', 'Write down what is there then, for ocictl save --since'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    progress: progressOption,
    policy: policyOption,
  },
  examples: [
    { text: 'All images of a file', command: 'load -i images.tar' },
    { text: 'From Docker, and from podman', command: 'load < <(docker save alpine)' },
    { text: 'One of several images', command: 'load -i images.tar alpine:3.20' },
  ],
  async run({ words, options }, context) {
    const { input = '-', quiet, json, into = 'store:', progress: mode } = options;
    const platforms = options.platform.map(parsePlatform);
    const toStore = into === 'store:';
    if (!toStore) refuseDestination(into, options.receipt);
    if (options.input === undefined) refuseFiles(words);
    const writeReceipt = options.receipt === undefined ? undefined : await context.createReceipt(options.receipt);
    await using archive = await context.openArchive(input, options);
    const chosen = await chooseImages(archive, words, context.signal);
    const { images } = chosen;
    const name = images.length === 1 ? (images[0]?.name ?? archive.shown) : archive.shown;
    const shown = { mode, quiet: quiet || json, action: 'load', name, several: images.length > 1 } as const;
    await withProgress(context, shown, async (progress) => {
      const wish = { archive, chosen, platforms, progress, json };
      const loaded = toStore ? await loadIntoStore(wish, context) : await loadInto(into, wish, context);
      await writeReceipt?.(receiptOf(loaded.images));
      loaded.throwFailures();
    });
  },
});

/** `ocictl load images.tar` would wait for an archive on standard input. @throws OciError USAGE */
function refuseFiles(words: readonly string[]): void {
  const file = words.find((word) => /^\.{0,2}\/|\.(?:tar|tgz|tar\.\w+)$/i.test(word));
  if (file === undefined) return;
  throw new OciError('USAGE', `${quote(file)} is a file, and not an image of an archive`, {
    hint: `did you mean ocictl load -i ${visible(file)}?`,
  });
}

/** @throws OciError USAGE */
function refuseDestination(into: string, receipt: string | undefined): void {
  if (into !== 'docker-daemon:') {
    throw new OciError('USAGE', `images cannot be loaded into ${quote(into)}`, {
      hint: 'write store: or docker-daemon:; to a registry or a directory, ocictl copy docker-archive:FILE:TAG copies one',
    });
  }
  if (receipt === undefined) return;
  throw new OciError('USAGE', '--receipt is for the local store: what a Docker daemon has is not known by digest', {
    hint: 'leave --into or --receipt out',
  });
}

function receiptOf(images: readonly LoadedImage[]): ReadonlyMap<string, ReadonlySet<Digest>> {
  // All names of an image share one set, and there may be thousands of names.
  const sets = new Map<string, Set<ReadonlySet<Digest>>>();
  for (const { target, digests } of images) {
    const { domain, path } = target;
    const repository = formatReference({ domain, path });
    sets.set(repository, (sets.get(repository) ?? new Set()).add(digests));
  }
  return new Map([...sets].map(([repository, each]) => [repository, new Set([...each].flatMap((set) => [...set]))]));
}
