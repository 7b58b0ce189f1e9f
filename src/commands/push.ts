import type { Context, ServiceFlags } from '../app/context.ts';
import { shortDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { TransferEvent } from '../model/events.ts';
import type { Platform } from '../model/platform/platform.ts';
import {
  defaultTag,
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  type Tag,
  toStoreName,
  withDefaultTag,
} from '../model/reference/reference.ts';
import { refuseMisread } from '../places/misread.ts';
import { foreignLayers } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import { formatJson } from '../terminal/json.ts';
import type { Progress, ProgressMode } from '../terminal/progress/progress.ts';
import { choosePushed, layersOf, reducedNote } from '../transfer/pushed.ts';
import type { TransferResult, TransferRoot } from '../transfer/transfer.ts';
import { defineCommand, flag, value } from './command-line/command.ts';
import { parseOnePlatform } from './command-line/option-values.ts';
import { jsonOption, platformWords, progressOption, registryOptions } from './command-line/options.ts';
import { forEachReference, readReferences, severalHelp, severalImages } from './command-line/several.ts';
import { LayerOutcomes } from './moving/layer-outcomes.ts';
import { moveTags } from './moving/move-tags.ts';
import { type BlobOutcome, runTransfer, withProgress } from './moving/run-transfer.ts';

export const push = defineCommand({
  name: 'push',
  summary: 'Upload an image of the local store to a registry',
  description:
    'What the registry already has is not sent, and blobs that another of its repositories has are mounted from there. If\n' +
    'only one image of an index was pulled, that image is pushed; if several but not all were, --platform is required.\n\n' +
    'Stdout has the lines that Docker prints while it pushes; with --quiet or --json, only the result.\n\n' +
    severalHelp,
  arguments: [{ ...severalImages('NAME[:TAG]'), completes: 'stored' }],
  options: {
    allTags: flag('-a, --all-tags', 'Push every tag of the repository that is in the store'),
    platform: value(
      '--platform <os/arch>',
      'Push only the image for this platform, without the index; all: the whole index',
      { choices: [...platformWords, 'all'] },
    ),
    quiet: flag('-q, --quiet', 'Print only the full name of the pushed image'),
    json: jsonOption,
    progress: progressOption,
    ...registryOptions,
  },
  examples: [
    { text: 'What was tagged for a registry', command: 'push registry.example.com/team/app:1' },
    { text: 'Every tag', command: 'push --all-tags registry.example.com/team/app' },
  ],
  async run({ words, options }, context) {
    const platform = options.platform === undefined ? undefined : parsePushed(options.platform);
    const references = await readReferences(words, context, options);
    await forEachReference(references, { terminal: context.terminal, what: 'pushed' }, (word) =>
      pushReference(word, { ...options, platform }, context),
    );
  },
});

interface PushFlags extends ServiceFlags {
  readonly progress: ProgressMode | undefined;
  readonly allTags: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly platform: Platform | 'all' | undefined;
}

/** Pushes one image, or all tags of a repository. */
async function pushReference(word: string, options: PushFlags, context: Context): Promise<void> {
  const { allTags, quiet, progress: mode } = options;
  const reference = parsePushable(word, allTags);
  const store = await context.store();
  const tags = await localTags(reference, allTags, store, context.signal);
  const remote = await (await context.service(options)).open(reference, 'push');
  const name = allTags ? familiarName(reference) : familiarReference(withDefaultTag(reference));
  const route = (): string => `to ${reference.domain}`;
  const several = allTags;
  await withProgress(context, { mode, quiet, action: 'push', name, several, route }, (progress) =>
    pushTags(reference, tags, { ...options, store, remote, progress }, context),
  );
}

async function pushTags(
  reference: Reference,
  tags: readonly Tag[],
  wish: PushOne & { readonly allTags: boolean; readonly quiet: boolean },
  context: Context,
): Promise<void> {
  const { allTags, quiet, json, progress } = wish;
  const { out } = context.terminal;
  const silent = quiet || json;
  const one = { ...wish, silent };
  const { tag, ...repository } = reference;
  if (!silent) {
    if (!allTags && tag === undefined) await progress.say(`Using default tag: ${defaultTag}`);
    await progress.say(`The push refers to repository [${formatReference(repository)}]`);
  }
  if (!allTags) {
    for (const each of tags) {
      const pushed = await pushOne({ ...reference, tag: each }, one, context);
      if (json) await out(`${formatJson(pushed)}\n`);
      else if (quiet) await out(`${pushed.reference}\n`);
    }
    return;
  }
  await pushAll(reference, tags, one, context);
  if (quiet && !json) await out(`${formatReference(repository)}\n`);
}

function parsePushable(word: string, allTags: boolean): Reference {
  refuseMisread(word, 'image');
  const reference = parseReference(word);
  if (reference.digest !== undefined) {
    throw new OciError('REFERENCE_INVALID', 'cannot push a digest reference', {
      hint: 'give it a tag with ocictl tag, and push that',
    });
  }
  if (allTags && reference.tag !== undefined) {
    throw new OciError('USAGE', "tag can't be used with --all-tags/-a", { hint: 'name the repository alone' });
  }
  return reference;
}

function parsePushed(word: string): Platform | 'all' {
  return word === 'all' ? word : parseOnePlatform(word);
}

async function localTags(
  reference: Reference,
  allTags: boolean,
  store: Registry,
  signal: AbortSignal,
): Promise<readonly Tag[]> {
  const wanted = allTags ? undefined : (reference.tag ?? defaultTag);
  const all: Tag[] = [];
  try {
    for await (const tag of store.tags(toStoreName(reference), { signal })) all.push(tag);
  } catch (error) {
    if (!(error instanceof OciError) || error.code !== 'NAME_UNKNOWN') throw error;
  }
  const found = all.filter((tag) => wanted === undefined || tag === wanted);
  if (found.length > 0) return found;
  const known = all.length > 0;
  const problem = known
    ? `tag does not exist: ${familiarReference({ ...reference, ...(wanted && { tag: wanted }) })}`
    : `An image does not exist locally with the tag: ${familiarName(reference)}`;
  throw new OciError('IMAGE_UNKNOWN', problem, {
    hint: 'ocictl images lists what is in the local store; ocictl tag gives an image this name',
  });
}

interface PushOne {
  readonly store: Registry;
  readonly remote: Registry;
  readonly progress: Progress;
  readonly platform: Platform | 'all' | undefined;
  readonly json: boolean;
}

interface PushOutcome {
  readonly reference: string;
  readonly digest: string;
  readonly size: number;
  readonly changed: boolean;
  readonly transferredBytes: number;
  readonly layers: readonly BlobOutcome[];
}

type Tagged = Reference & { readonly tag: Tag };

async function pushOne(
  reference: Tagged,
  ends: PushOne & { readonly silent: boolean },
  context: Context,
): Promise<PushOutcome> {
  const { progress, silent } = ends;
  const plan = await planPush(reference, ends, context);
  const { layers, ...result } = await runTransfer(context, {
    ...plan.root,
    parallelBlobs: await context.parallelUploads(),
    progress,
    lineOf: silent ? undefined : lineOf,
  });
  const told = new Set(layers.map(({ digest }) => digest));
  // The transfer does not report layers of an image that was there already, but Docker lists them.
  for await (const { digest, size } of layersOf(plan.root.from, { signal: context.signal })) {
    if (told.has(digest)) continue;
    layers.push({ digest, size, outcome: 'exists' });
    if (!silent) await progress.say(`${shortDigest(digest)}: Layer already exists`);
  }
  return concludePush(reference, result, layers, ends);
}

/** Pushes several tags of a repository together. One that fails does not stop the others. */
async function pushAll(
  repository: Reference,
  tags: readonly Tag[],
  ends: PushOne & { readonly silent: boolean },
  context: Context,
): Promise<void> {
  const { progress, silent, json } = ends;
  const outcomes = new LayerOutcomes();
  await moveTags(context, {
    progress,
    parallelBlobs: await context.parallelUploads(),
    lineOf: (event) => {
      outcomes.note(event);
      return silent ? undefined : lineOf(event);
    },
    tags: () => tags,
    plan: (tag, signal) => planPush({ ...repository, tag }, ends, { ...context, signal }),
    conclude: (plan, result) => ({ plan, result }),
    tell: async ({ plan, result }) => {
      const layers = json ? await outcomes.of(plan.root.from, context) : [];
      const pushed = await concludePush(plan.reference, result, layers, ends);
      if (json) await context.terminal.out(`${formatJson(pushed)}\n`);
    },
    nameOf: (tag) => familiarReference({ ...repository, tag }),
    what: 'pushed',
    others: 'the others are in the registry',
  });
}

interface PlannedPush {
  readonly reference: Tagged;
  readonly root: TransferRoot;
}

async function planPush(
  reference: Tagged,
  { store, remote, platform }: PushOne,
  context: Context,
): Promise<PlannedPush> {
  const source = { registry: store, repo: toStoreName(reference), reference: reference.tag, sparse: true };
  const pushed = await choosePushed(source, platform, { signal: context.signal });
  const reduced = reducedNote(familiarReference(reference), 'pushing', pushed);
  if (reduced !== undefined) context.terminal.note(reduced);
  const root = {
    from: { ...source, reference: pushed.digest },
    to: { registry: remote, repo: reference.path, tags: [reference.tag] },
    mountFrom: await context.mountSource(reference),
    foreignLayers: remote.extension(foreignLayers)?.accepted ? ('copy' as const) : ('skip' as const),
  };
  return { reference, root };
}

async function concludePush(
  reference: Tagged,
  { root, changed, transferredBytes }: TransferResult,
  layers: readonly BlobOutcome[],
  { progress, silent }: PushOne & { readonly silent: boolean },
): Promise<PushOutcome> {
  const { digest, size } = root;
  if (!silent) await progress.say(`${reference.tag}: digest: ${digest} size: ${size}`);
  return { reference: formatReference(reference), digest, size, changed, transferredBytes, layers };
}

function lineOf(event: TransferEvent): string | undefined {
  if (event.type !== 'done' || event.kind !== 'layer') return undefined;
  const id = shortDigest(event.node.digest);
  if (event.outcome === 'exists') return `${id}: Layer already exists`;
  if (event.outcome === 'mounted') return `${id}: Mounted from ${event.mountedFrom}`;
  return event.outcome === 'foreign' ? `${id}: Skipped foreign layer` : `${id}: Pushed`;
}
