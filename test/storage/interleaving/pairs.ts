/**
 * Every pair of operations that can meet in a store, and what each of them writes first and last. The reasons for this
 * order are in docs/architecture.md, "What meets in a store". runs.ts runs them.
 */
import type { ErrorCode } from '../../../src/model/errors.ts';
import type { Part } from './world.ts';

export interface Operation {
  /** What it writes or removes first; `last` is what it does at the end. */
  readonly first: string;
  readonly last: string;
  /** The `Part`s that must be in the store for it, besides x. */
  readonly needs?: readonly Part[];
  /** The errors that its contract allows. */
  readonly mayFail?: readonly ErrorCode[];
  /** What is there after it was confirmed, named as in `State`, unless the other operation takes it. */
  readonly gives?: Readonly<Record<string, string>>;
  /**
   * What is gone after it was confirmed, unless the other operation gives it. `*` at the end: everything with this prefix.
   * `=` and a value: only as long as it has this value, so that what the other operation has put in its place must stay.
   */
  readonly takes?: readonly string[];
  /** What it may take or leave, depending on whether it is needed elsewhere. */
  readonly mayTake?: readonly string[];
  /** What it may leave broken, because it was told to. */
  readonly breaks?: readonly string[];
}

const push = {
  first: 'the bytes, the media type, the revision link',
  last: 'the tag; then it looks for the revision link and the blobs again',
  mayFail: ['MANIFEST_BLOB_UNKNOWN'],
} as const;
const deletion = {
  first: 'no tags, no referrer link, no media type, no revision link',
  last: 'no tag that was written meanwhile',
  mayFail: ['MANIFEST_UNKNOWN'],
} as const;
const removal = {
  first: 'no tag; then as a deletion of the manifest',
  last: 'no blobs, as a collection',
  mayTake: ['app@*', 'app/*', 'other/*'],
} as const;
const transfer = {
  first: 'a lease, then blobs and layer links',
  last: push.last,
  mayFail: ['MANIFEST_BLOB_UNKNOWN'],
} as const;
const reading = { first: 'nothing', last: 'nothing' } as const;

const operations = {
  'push a tag': { ...push, gives: { 'app:fresh': 'x', 'app@x': 'x' } },
  'push by digest, then with a tag': { ...push, gives: { 'app:fresh': 'x', 'app@x': 'x' } },
  retag: { ...push, needs: ['y'], gives: { 'app:one': 'y', 'app@y': 'y' } },
  'push a manifest': { ...push, needs: ['z'], gives: { 'app:one': 'z', 'app@z': 'z' } },
  'push an untyped manifest': { ...push, needs: ['o'], gives: { 'app@o': 'o' } },
  'push a referrer': { ...push, needs: ['t'], last: 'its referrer link', gives: { 'app@t': 't', 'app@x<t': 't' } },
  'push an image': { ...push, first: 'its blobs', gives: { 'app:one': 'n', 'app@n': 'n' } },
  'push an image by mounts': { ...push, needs: ['u'], first: 'layer links', gives: { 'app:fresh': 'u', 'app@u': 'u' } },
  pull: { ...transfer, gives: { 'app:fresh': 'x', 'app@x': 'x' } },
  'pull what is not there': { ...transfer, gives: { 'app:fresh': 'n', 'app@n': 'n' } },
  // One image of it is there, as part of another index.
  'pull an index': {
    ...transfer,
    needs: ['i'],
    last: 'its images that are gone, again',
    gives: { 'app:fresh': 'j', 'app@j': 'j', 'app@c': 'c' },
  },
  tag: {
    ...transfer,
    mayFail: ['MANIFEST_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN'],
    gives: { 'app:fresh': 'x', 'app@x': 'x' },
  },
  'tag into another repository': {
    ...transfer,
    mayFail: ['MANIFEST_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN'],
    gives: { 'other:fresh': 'x', 'other@x': 'x' },
  },
  'delete a manifest': { ...deletion, takes: ['app@x', 'app:one=x', 'app:fresh=x'] },
  'delete an untyped manifest': { ...deletion, needs: ['o'], takes: ['app@o'] },
  'delete a referrer': { ...deletion, needs: ['s'], takes: ['app@s', 'app@x<s'] },
  'retag, then delete the old manifest': {
    ...deletion,
    needs: ['y'],
    first: push.first,
    gives: { 'app:one': 'y', 'app@y': 'y' },
    takes: ['app@x', 'app:fresh=x'],
  },
  'delete a tag': { first: 'no tag', last: 'no history', mayFail: ['MANIFEST_UNKNOWN'], takes: ['app:one'] },
  'delete a blob': {
    needs: ['z'],
    first: 'no layer link',
    last: 'no layer link',
    mayFail: ['BLOB_UNKNOWN'],
    takes: ['app/loose', 'app/small'],
    breaks: ['app:one', 'app@z'],
  },
  'remove a repository': {
    first: 'no tags',
    last: 'no layer links; then no manifests that were pushed meanwhile',
    mayFail: ['NAME_UNKNOWN'],
    takes: ['app*'],
  },
  rmi: { ...removal, takes: ['app:one'] },
  // It lists every tag of the digest.
  'rmi of a digest': { ...removal, takes: ['app:one=x'], mayTake: ['app:fresh', ...removal.mayTake] },
  'rmi of an index': { ...removal, needs: ['i'], takes: ['app:two'] },
  'mount a blob': {
    needs: ['loose'],
    first: 'the layer link',
    last: 'the layer link',
    gives: { 'app/loose': 'there' },
  },
  'upload a blob': {
    first: 'the blob',
    last: 'the layer link',
    // In a bucket nothing holds a session: a removal of the repository may take it.
    mayFail: ['BLOB_UPLOAD_UNKNOWN'],
    gives: { 'app/small': 'there' },
  },
  'upload a blob in two requests': {
    first: 'the session',
    last: 'the layer link, and no session',
    mayFail: ['BLOB_UPLOAD_UNKNOWN'],
    gives: { 'app/large': 'there' },
  },
  'download a blob': { first: 'a lock, then a partial file', last: 'the layer link', gives: { 'app/large': 'there' } },
  collect: {
    first: 'no sessions and no layer links that no manifest names',
    last: 'no blobs that no link names',
    mayTake: ['app/*', 'other/*'],
  },
  prune: {
    first: 'no manifests without a tag; then as a collection',
    last: 'no blobs that no link names',
    mayTake: ['app/*', 'other/*', 'app@*', 'other@*'],
  },
  'delete a tag, then prune': {
    first: 'no tag',
    last: 'no blobs that no link names',
    mayFail: ['MANIFEST_UNKNOWN'],
    takes: ['app:one'],
    mayTake: ['app/*', 'other/*', 'app@*', 'other@*'],
  },
  'purge uploads': { first: 'no session', last: 'no session' },
  'read a tag': { ...reading, mayFail: ['MANIFEST_UNKNOWN'] },
  'read an image by its digest': { ...reading, mayFail: ['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'STORAGE_DAMAGED'] },
  'list tags': { ...reading, mayFail: ['NAME_UNKNOWN'] },
  'list referrers': { ...reading, needs: ['s'] },
  'list images': reading,
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

export function operationOf(name: OperationName): Operation {
  return operations[name];
}

export interface Pair {
  readonly names: readonly [OperationName, OperationName];
  /** No operation may fail here, even if its contract allows it. */
  readonly strict: boolean;
}

/** These read the whole store, in hundreds of calls. */
const long: ReadonlySet<OperationName> = new Set([
  'collect',
  'prune',
  'delete a tag, then prune',
  'rmi',
  'rmi of a digest',
  'rmi of an index',
  'list images',
]);

export function isLong({ names }: Pair): boolean {
  return names.some((name) => long.has(name));
}

/** First the strict pairs: what one operation does is independent of what the other removes. */
export const pairs: readonly Pair[] = [
  ...pairsOf(true, [
    ['push a tag', ['push a tag', 'retag', 'delete a tag', 'collect', 'list tags', 'list images']],
    ['push by digest, then with a tag', ['delete a manifest']],
    [
      'retag',
      ['retag', 'push a manifest', 'delete a manifest', 'rmi', 'rmi of a digest', 'collect', 'read a tag', 'list tags'],
    ],
    ['push a manifest', ['delete a manifest', 'delete a tag']],
    ['push an untyped manifest', ['push an untyped manifest']],
    ['push a referrer', ['delete a manifest', 'delete a referrer', 'list referrers', 'push a referrer']],
    ['push an image', ['push an image', 'push a manifest', 'delete a tag', 'upload a blob', 'purge uploads']],
    ['pull', ['collect', 'rmi', 'pull']],
    ['pull what is not there', ['collect', 'rmi', 'rmi of a digest', 'pull what is not there']],
    ['pull an index', ['rmi of an index', 'prune', 'pull an index']],
    ['tag', ['collect', 'retag']],
    ['tag into another repository', ['collect', 'retag']],
    ['retag, then delete the old manifest', ['read a tag', 'list tags', 'list images']],
    ['delete a manifest', ['list tags', 'list referrers', 'list images', 'collect']],
    ['mount a blob', ['collect', 'mount a blob', 'upload a blob']],
    ['upload a blob', ['upload a blob', 'collect', 'purge uploads']],
    ['upload a blob in two requests', ['upload a blob in two requests', 'collect', 'download a blob']],
    ['download a blob', ['download a blob', 'collect']],
    ['collect', ['collect', 'purge uploads', 'read an image by its digest', 'list images']],
    ['rmi', ['list images']],
    ['push a tag', ['prune']],
    ['retag', ['prune']],
    ['pull what is not there', ['prune']],
    ['tag', ['prune']],
    ['prune', ['prune', 'collect', 'list images']],
  ]),
  ...pairsOf(false, [
    ['push a tag', ['delete a manifest', 'rmi', 'rmi of a digest', 'remove a repository']],
    ['push by digest, then with a tag', ['rmi of a digest']],
    ['retag', ['remove a repository']],
    ['push a manifest', ['delete a blob', 'collect', 'rmi', 'remove a repository']],
    ['push an untyped manifest', ['delete an untyped manifest', 'collect', 'remove a repository']],
    ['push a referrer', ['collect', 'rmi', 'remove a repository']],
    ['push an image', ['collect', 'rmi', 'rmi of a digest', 'remove a repository']],
    ['push an image by mounts', ['collect', 'remove a repository', 'rmi']],
    ['pull', ['rmi of a digest', 'delete a manifest', 'remove a repository']],
    ['pull what is not there', ['remove a repository']],
    ['tag', ['rmi', 'rmi of a digest', 'delete a manifest']],
    ['tag into another repository', ['rmi', 'rmi of a digest', 'delete a manifest']],
    ['delete a manifest', ['delete a manifest', 'delete a tag', 'rmi', 'remove a repository', 'read a tag']],
    ['delete a tag', ['delete a tag', 'read a tag', 'list tags', 'remove a repository', 'rmi']],
    ['rmi', ['list tags', 'rmi', 'rmi of a digest', 'collect', 'read an image by its digest']],
    ['mount a blob', ['delete a blob', 'remove a repository']],
    ['upload a blob', ['delete a blob', 'remove a repository']],
    ['push an image', ['prune']],
    ['push a tag', ['delete a tag, then prune']],
    ['push by digest, then with a tag', ['prune', 'delete a tag, then prune']],
    ['push a referrer', ['delete a tag, then prune']],
    ['push an untyped manifest', ['prune']],
    ['push an image by mounts', ['prune']],
    ['tag', ['delete a tag, then prune']],
    ['tag into another repository', ['delete a tag, then prune']],
    ['rmi', ['prune']],
    ['remove a repository', ['prune']],
    ['upload a blob in two requests', ['purge uploads', 'remove a repository']],
    ['remove a repository', ['remove a repository', 'collect', 'list tags', 'list images', 'purge uploads']],
  ]),
];

function pairsOf(
  strict: boolean,
  meetings: readonly (readonly [OperationName, readonly OperationName[]])[],
): readonly Pair[] {
  return meetings.flatMap(([name, others]) => others.map((other) => ({ names: [name, other] as const, strict })));
}
