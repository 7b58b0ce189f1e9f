import type { Context, End } from '../app.ts';
import type { Descriptor } from '../model/descriptor.ts';
import { isOciError, OciError } from '../model/errors.ts';
import { parsePlatform } from '../model/platform.ts';
import { leases } from '../registry/extensions.ts';
import { naming } from '../transfer/graph.ts';
import { resolveImage } from '../transfer/platforms.ts';
import type { TransferOptions } from '../transfer/transfer.ts';
import { defineCommand, flag, value } from './command.ts';
import { jsonOption, serviceOptions } from './options.ts';
import { runTransfer } from './transferring.ts';

export const copy = defineCommand({
  name: 'copy',
  summary: 'Copy an image from one place to another, unchanged',
  description:
    'Places are registry references, OCI layouts (oci:DIR[:TAG]) and the local store (store:NAME[:TAG]). An index is copied\n' +
    'whole, with attestations, unless --platform chooses one image of it. No byte changes, so digests stay. What the\n' +
    'destination has is not sent. The full name of the destination is printed.',
  arguments: [
    { label: 'SOURCE', summary: 'Where it is', arity: 'one', completes: 'image' },
    { label: 'DESTINATION', summary: 'Where it shall be', arity: 'one', completes: 'image' },
  ],
  options: {
    platform: value('--platform <os/arch>', 'Copy the image for this platform alone, without the index'),
    ifAbsent: flag('--if-absent', 'Refuse to overwrite a tag that points at something else'),
    quiet: flag('-q, --quiet', 'No progress'),
    json: jsonOption,
    ...serviceOptions,
  },
  examples: [
    { text: 'Between registries', command: 'copy alpine:3.20 registry.example.com/base/alpine:3.20' },
    { text: 'Into a directory', command: 'copy registry.example.com/team/app:1 oci:app:1' },
  ],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const [sourceWord = '', destinationWord = ''] = words;
    const source = await context.openEnd(sourceWord, 'source', options);
    const root = await resolveRoot(source, options.platform, signal);
    // Opened only now: a source that is not there leaves no empty layout behind.
    const destination = await context.openEnd(destinationWord, 'destination', options);
    if (source.place === destination.place) {
      throw new OciError('USAGE', `source and destination are both ${source.fullName}`, {
        hint: 'name another tag, repository or directory for one of them',
      });
    }
    if (options.ifAbsent) await refuseOther(root, destination, signal);
    await using _lease = await destination.registry.extension(leases)?.lease({ signal });
    const { changed, omitted, transferredBytes } = await runTransfer(context, {
      from: { ...source, reference: root.digest, root },
      to: { ...destination, tags: destination.tag === undefined ? [] : [destination.tag] },
      mountFrom: await mountSource(source, destination, context),
      foreignLayers: destination.kind === 'registry' ? 'skip' : 'copy',
      parallelBlobs: await context.parallelDownloads(),
      title: `copying ${source.name} to ${destination.name}`,
      quiet: options.quiet,
    });
    if (omitted.length > 0) {
      terminal.note(`${source.name} lacks images that its index names, so the copy lacks them too: ${naming(omitted)}`);
    }
    const { digest, mediaType } = root;
    const outcome = { destination: destination.fullName, digest, mediaType, changed, transferredBytes };
    await terminal.out(`${options.json ? JSON.stringify(outcome) : destination.fullName}\n`);
  },
});

async function resolveRoot(source: End, platform: string | undefined, signal: AbortSignal): Promise<Descriptor> {
  if (platform === undefined) return source.registry.statManifest(source.repo, source.reference, { signal });
  return (await resolveImage(source, parsePlatform(platform), { signal })).descriptor;
}

/** @throws OciError REFUSED where the tag exists with another digest. */
async function refuseOther(root: Descriptor, destination: End, signal: AbortSignal): Promise<void> {
  const there = await destination.registry
    .statManifest(destination.repo, destination.reference, { signal })
    .catch((error: unknown) => {
      if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
      throw error;
    });
  if (!there || there.digest === root.digest) return;
  throw new OciError('REFUSED', `${destination.name} is there already, as ${there.digest}`, {
    hint: 'leave --if-absent out to overwrite it, or choose another tag',
  });
}

/** Where the destination's registry may have the blobs already: the source, or what the store has from there. */
async function mountSource(source: End, destination: End, context: Context): Promise<TransferOptions['mountFrom']> {
  const { kind, domain, repo } = destination;
  if (kind !== 'registry' || domain === undefined) return undefined;
  if (source.kind === 'store') return context.mountSource({ domain, path: repo });
  return source.domain === domain ? source.repo : undefined;
}
