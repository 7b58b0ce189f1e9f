import { join } from 'node:path';
import type { Account } from '../test/support/login-servers.ts';
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
  /** Does nothing but start. */
  readonly version: Command;
  pull(from: At, into: string): readonly Command[];
  push(from: OnDisk, to: At): readonly Command[];
  copy(from: At, to: At): readonly Command[];
  digest(of: At): Command;
  /** Reads the image's configuration too. */
  inspect(of: At): Command;
  tags(of: At): Command;
  /** Absent where it stores what it is given without asking the registry. */
  login?(host: string, account: Account): Command;
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
    version: run('--version'),
    pull: (from) => [one(from) ? run('pull', '-q', ref(from)) : run('pull', '-q', '-a', repository(from))],
    push: (_, to) => [one(to) ? run('push', '-q', ref(to)) : run('push', '-q', '-a', repository(to))],
    copy: (from, to) => [
      one(from)
        ? run('copy', '-q', ref(from), ref(to))
        : run('copy', '-q', '--all-tags', repository(from), repository(to)),
    ],
    digest: (of) => run('digest', ref(of)),
    inspect: (of) => run('inspect', ref(of)),
    tags: (of) => run('tags', repository(of)),
    login: (host, { username, password }) => run('login', '-u', username, '-p', password, host),
  };
}

/** How registries are reached: without TLS, or over it, with an authority that `SSL_CERT_FILE` names. */
export type Scheme = 'http' | 'https';

/** The peers, with what each needs to be told for a registry of that kind. */
export function peers(scheme: Scheme): readonly Program[] {
  return [crane(scheme), skopeo(scheme), regctl(scheme), oras(scheme)];
}

function crane(scheme: Scheme): Program {
  const run = (...words: string[]): Command => ['crane', ...words, ...(scheme === 'http' ? ['--insecure'] : [])];
  return {
    name: 'crane',
    version: ['crane', 'version'],
    pull: (from, into) => [run('pull', '--format=oci', ...from.tags.map((tag) => ref(from, tag)), into)],
    push: ({ layouts }, to) => to.tags.map((tag) => run('push', join(layouts, tag), ref(to, tag))),
    copy: (from, to) => [
      one(from) ? run('copy', ref(from), ref(to)) : run('copy', '--all-tags', repository(from), repository(to)),
    ],
    digest: (of) => run('digest', ref(of)),
    inspect: (of) => run('config', ref(of)),
    tags: (of) => run('ls', repository(of)),
  };
}

function skopeo(scheme: Scheme): Program {
  const at = (side = ''): string[] => (scheme === 'http' ? [`--${side}tls-verify=false`] : []);
  const run = (...words: string[]): Command => ['skopeo', '--insecure-policy', ...words];
  const copy = (...words: string[]): Command => run('copy', '-q', ...at('src-'), ...at('dest-'), ...words);
  return {
    name: 'skopeo',
    version: ['skopeo', '--version'],
    pull: (from, into) => from.tags.map((tag) => copy(`docker://${ref(from, tag)}`, `oci:${into}:${tag}`)),
    push: ({ layouts }, to) =>
      to.tags.map((tag) => copy(`oci:${join(layouts, tag)}:${tag}`, `docker://${ref(to, tag)}`)),
    copy: (from, to) => from.tags.map((tag) => copy(`docker://${ref(from, tag)}`, `docker://${ref(to, tag)}`)),
    digest: (of) => run('inspect', ...at(), '--no-tags', '--format', '{{.Digest}}', `docker://${ref(of)}`),
    inspect: (of) => run('inspect', ...at(), '--no-tags', `docker://${ref(of)}`),
    tags: (of) => run('list-tags', ...at(), `docker://${repository(of)}`),
    login: (host, { username, password }) => run('login', ...at(), '-u', username, '-p', password, host),
  };
}

function regctl(scheme: Scheme): Program {
  const run = (hosts: readonly string[], ...words: string[]): Command => [
    'regctl',
    ...(scheme === 'http' ? hosts.flatMap((host) => ['--host', `reg=${host},tls=disabled`]) : []),
    ...words,
  ];
  const copy = (hosts: readonly string[], from: string, to: string): Command => run(hosts, 'image', 'copy', from, to);
  return {
    name: 'regctl',
    version: ['regctl', 'version'],
    pull: (from, into) => from.tags.map((tag) => copy([from.host], ref(from, tag), `ocidir://${into}:${tag}`)),
    push: ({ layouts }, to) =>
      to.tags.map((tag) => copy([to.host], `ocidir://${join(layouts, tag)}:${tag}`, ref(to, tag))),
    copy: (from, to) => from.tags.map((tag) => copy([from.host, to.host], ref(from, tag), ref(to, tag))),
    digest: (of) => run([of.host], 'image', 'digest', ref(of)),
    inspect: (of) => run([of.host], 'image', 'inspect', ref(of)),
    tags: (of) => run([of.host], 'tag', 'ls', repository(of)),
    login: (host, { username, password }) => run([host], 'registry', 'login', host, '-u', username, '-p', password),
  };
}

function oras(scheme: Scheme): Program {
  const plain = (side = ''): string[] => (scheme === 'http' ? [`--${side}plain-http`] : []);
  const copy = (...words: string[]): Command => ['oras', 'cp', '--no-tty', ...words];
  return {
    name: 'oras',
    version: ['oras', 'version'],
    pull: (from, into) =>
      from.tags.map((t) => copy(...plain('from-'), '--to-oci-layout', ref(from, t), `${into}:${t}`)),
    push: ({ layouts }, to) =>
      to.tags.map((t) => copy(...plain('to-'), '--from-oci-layout', `${join(layouts, t)}:${t}`, ref(to, t))),
    copy: (from, to) => from.tags.map((t) => copy(...plain('from-'), ...plain('to-'), ref(from, t), ref(to, t))),
    digest: (of) => ['oras', 'resolve', ...plain(), ref(of)],
    inspect: (of) => ['oras', 'manifest', 'fetch-config', ...plain(), ref(of)],
    tags: (of) => ['oras', 'repo', 'tags', ...plain(), repository(of)],
    login: (host, { username, password }) => ['oras', 'login', ...plain(), '-u', username, '-p', password, host],
  };
}

export function ref(at: At, tag = at.tags[0]): string {
  return `${repository(at)}:${tag}`;
}

export function repository({ host, path }: At): string {
  return `${host}/${path}`;
}

function one({ tags }: At): boolean {
  return tags.length === 1;
}
