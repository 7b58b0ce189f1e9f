/** What is done at a distance: by each program, with what it leaves undone again beforehand. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ada } from '../../test/support/login-servers.ts';
import type { Command } from '../measure.ts';
import type { At, OnDisk, Program } from '../programs.ts';
import type { Site } from './site.ts';
import type { Front } from './spots.ts';

/** Where a row's images are. */
export interface Stage {
  readonly site: Site;
  readonly from: At;
  /** A repository of another registry, or another of the same one. */
  readonly to: At;
  readonly disk: OnDisk;
  /** What is pulled goes here. */
  readonly target: string;
}

export interface RowKind {
  readonly name: string;
  readonly title: string;
  readonly images: number;
  readonly layers: number;
  readonly layerBytes: number;
  /** Further tags of the first image. */
  readonly moreTags?: number;
  readonly registries: 1 | 2;
  /** What it needs at the far end; else anything. */
  readonly front?: Front;
  /** Whether programs push what lies on the disk. */
  readonly pushes?: boolean;
  commands(program: Program, stage: Stage): readonly Command[] | undefined;
  /** Puts things back; not measured. */
  before?(stage: Stage): Promise<void>;
}

const small = { images: 1, layers: 1, layerBytes: 10_000, registries: 1 } as const;
const ten = { images: 1, layers: 10, layerBytes: 1e6, registries: 1 } as const;
const forgetTarget = ({ target }: Stage): Promise<void> => rm(target, { recursive: true, force: true });
const forgetCopy = ({ site, to }: Stage): Promise<void> => removeRepository(site, to);
/** Not the repository alone: what the registry has elsewhere could be mounted. */
const forgetAll = ({ site, to }: Stage): Promise<void> => emptyRegistry(site, to);

export const rowKinds: readonly RowKind[] = [
  { name: 'digest', title: 'digest', ...small, commands: ({ digest }, { from }) => [digest(from)] },
  { name: 'inspect', title: 'inspect', ...small, commands: ({ inspect }, { from }) => [inspect(from)] },
  { name: 'tags', title: 'tags', ...small, commands: ({ tags }, { from }) => [tags(from)] },
  {
    ...{ name: 'many-tags', title: 'tags, 5,000', ...small, moreTags: 5000 },
    commands: ({ tags }, { from }) => [tags(from)],
  },
  {
    ...{ name: 'tags-pages', title: 'tags, 10 pages of 500', ...small, moreTags: 4999, front: 'paging' },
    commands: ({ tags }, { from }) => [tags(from)],
  },
  {
    ...{ name: 'login', title: 'login', ...small },
    commands: ({ login }, { from }) => login && [login(from.host, ada)],
    // What one program stored is not for the next.
    before: ({ site }) => site.logOut(),
  },
  {
    ...{ name: 'pull-ten', title: 'pull, 10 layers of 1 MB', ...ten },
    commands: ({ pull }, { from, target }) => pull(from, target),
    before: forgetTarget,
  },
  {
    ...{ name: 'pull-one', title: 'pull, 1 layer of 20 MB', ...ten, layers: 1, layerBytes: 20e6 },
    commands: ({ pull }, { from, target }) => pull(from, target),
    before: forgetTarget,
  },
  {
    ...{ name: 'pull-five', title: 'pull, 5 layers of 10 MB', ...ten, layers: 5, layerBytes: 10e6 },
    commands: ({ pull }, { from, target }) => pull(from, target),
    before: forgetTarget,
  },
  {
    ...{ name: 'pull-large', title: 'pull, 1 layer of 40 MB', ...ten, layers: 1, layerBytes: 40e6 },
    commands: ({ pull }, { from, target }) => pull(from, target),
    before: forgetTarget,
  },
  {
    ...{ name: 'push-ten', title: 'push, 10 new layers of 0.3 MB', ...ten, layerBytes: 300e3, pushes: true },
    commands: ({ push }, { to, disk }) => push(disk, to),
    before: forgetAll,
  },
  {
    ...{ name: 'push-again', title: 'push of what is there', ...ten, layerBytes: 300e3, pushes: true },
    commands: ({ push }, { from, disk }) => push(disk, from),
  },
  {
    ...{ name: 'copy-within', title: 'copy in one registry, 10 layers', ...ten, layerBytes: 300e3 },
    commands: ({ copy }, { from, to }) => copy(from, to),
    before: forgetCopy,
  },
  {
    ...{ name: 'copy-between', title: 'copy between two, 10 layers', ...ten, layerBytes: 300e3, registries: 2 },
    commands: ({ copy }, { from, to }) => copy(from, to),
    before: forgetAll,
  },
  {
    ...{ name: 'copy-all', title: 'copy -a of 20 tags between two', ...small, images: 20, registries: 2 },
    commands: ({ copy }, { from, to }) => copy(from, to),
    before: forgetAll,
  },
];

/** docker-registry keeps nothing in memory: where the directory is gone, it has never been. */
async function removeRepository(site: Site, { host, path }: At): Promise<void> {
  await rm(join(contentOf(site, host), 'repositories', path), { recursive: true, force: true });
}

async function emptyRegistry(site: Site, { host }: At): Promise<void> {
  await rm(contentOf(site, host), { recursive: true, force: true });
}

function contentOf({ spots }: Site, host: string): string {
  const spot = spots.find((each) => each.host === host);
  if (spot?.root === undefined) throw new Error(`${host} has no directory that can be emptied`);
  return join(spot.root, 'docker', 'registry', 'v2');
}
