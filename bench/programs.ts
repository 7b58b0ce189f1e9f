import { join } from 'node:path';
import type { Bench, NodeProgram } from './context.ts';
import type { Command } from './measure.ts';

/** Images of a registry. */
export interface At {
  readonly host: string;
  readonly path: string;
  readonly tags: readonly string[];
}

/** The same images on the disk. */
export interface OnDisk {
  /** Local store of ocictl, in which they have the names that they are pushed under. */
  readonly store: string;
  /** A layout for each tag, by name of the tag. */
  readonly layouts: string;
}

/** How a program does what is measured: with one command where it has one that takes many images. */
export interface Program {
  /** Under which it is looked for on PATH. */
  readonly name: string;
  pull(from: At, into: string): readonly Command[];
  push(from: OnDisk, to: At): readonly Command[];
  copy(from: At, to: At): readonly Command[];
}

/** docker, whose daemon does the work, unpacks what it pulls, and can be emptied only by commands. */
export const docker = {
  name: 'docker (unpacks)',
  pull: (from: At): readonly Command[] => [one(from) ? dockerPull(ref(from)) : dockerPull('-a', repository(from))],
  remove: (from: At): Command => ['docker', 'rmi', '-f', ...from.tags.map((tag) => ref(from, tag))],
};

function dockerPull(...words: string[]): Command {
  return ['docker', 'pull', '-q', ...words];
}

/** ocictl, which pulls into a local store at `into` (`OCICTL_ROOT`). */
export function ocictl({ bin }: Pick<Bench, 'bin'>, node: NodeProgram): Program {
  const run = (...words: string[]): Command => [node.path, bin, ...words];
  return {
    name: node.name,
    pull: (from) => [one(from) ? run('pull', '-q', ref(from)) : run('pull', '-q', '-a', repository(from))],
    push: (_, to) => [one(to) ? run('push', '-q', ref(to)) : run('push', '-q', '-a', repository(to))],
    copy: (from, to) => [
      one(from)
        ? run('copy', '-q', ref(from), ref(to))
        : run('copy', '-q', '--all-tags', repository(from), repository(to)),
    ],
  };
}

const crane: Program = {
  name: 'crane',
  pull: (from, into) => [['crane', 'pull', '--insecure', '--format=oci', ...from.tags.map((t) => ref(from, t)), into]],
  push: ({ layouts }, to) => to.tags.map((tag) => ['crane', 'push', '--insecure', join(layouts, tag), ref(to, tag)]),
  copy: (from, to) => [
    one(from)
      ? ['crane', 'copy', '--insecure', ref(from), ref(to)]
      : ['crane', 'copy', '--insecure', '--all-tags', repository(from), repository(to)],
  ],
};

const skopeoCopy = ['skopeo', '--insecure-policy', 'copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false'];

const skopeo: Program = {
  name: 'skopeo',
  pull: (from, into) => from.tags.map((tag) => [...skopeoCopy, `docker://${ref(from, tag)}`, `oci:${into}:${tag}`]),
  push: ({ layouts }, to) =>
    to.tags.map((tag) => [...skopeoCopy, `oci:${join(layouts, tag)}:${tag}`, `docker://${ref(to, tag)}`]),
  copy: (from, to) => from.tags.map((tag) => [...skopeoCopy, `docker://${ref(from, tag)}`, `docker://${ref(to, tag)}`]),
};

const regctlCopy = (from: string, to: string, ...hosts: string[]): Command => [
  'regctl',
  ...hosts.flatMap((host) => ['--host', `reg=${host},tls=disabled`]),
  ...['image', 'copy', from, to],
];

const regctl: Program = {
  name: 'regctl',
  pull: (from, into) => from.tags.map((tag) => regctlCopy(ref(from, tag), `ocidir://${into}:${tag}`, from.host)),
  push: ({ layouts }, to) =>
    to.tags.map((tag) => regctlCopy(`ocidir://${join(layouts, tag)}:${tag}`, ref(to, tag), to.host)),
  copy: (from, to) => from.tags.map((tag) => regctlCopy(ref(from, tag), ref(to, tag), from.host, to.host)),
};

const orasCopy = ['oras', 'cp', '--no-tty'];

const oras: Program = {
  name: 'oras',
  pull: (from, into) =>
    from.tags.map((t) => [...orasCopy, '--from-plain-http', '--to-oci-layout', ref(from, t), `${into}:${t}`]),
  push: ({ layouts }, to) =>
    to.tags.map((t) => [...orasCopy, '--to-plain-http', '--from-oci-layout', `${join(layouts, t)}:${t}`, ref(to, t)]),
  copy: (from, to) =>
    from.tags.map((t) => [...orasCopy, '--from-plain-http', '--to-plain-http', ref(from, t), ref(to, t)]),
};

export const peers: readonly Program[] = [crane, skopeo, regctl, oras];

export function ref(at: At, tag = at.tags[0]): string {
  return `${repository(at)}:${tag}`;
}

export function repository({ host, path }: At): string {
  return `${host}/${path}`;
}

function one({ tags }: At): boolean {
  return tags.length === 1;
}
