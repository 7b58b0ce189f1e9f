/** Two registries, and sync files between them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../../src/model/digest.ts';
import { unlessUnknown } from '../../../src/model/errors.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { type AskedRequest, startFakeServer } from '../../support/fake-server.ts';
import { type Built, buildImage, pushImage } from '../../support/images.ts';
import type { RunResult } from '../../support/process.ts';
import { type ServedRegistry, startServe } from '../../support/registries.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';

export interface Mirror {
  readonly source: ServedRegistry;
  readonly destination: ServedRegistry;
  /** Puts an image with this content under a name in the source: `team/app:1`. */
  push(name: string, content?: string): Promise<Built>;
  /** Runs `ocictl sync` with a file. `SOURCE` and `DESTINATION` in it are replaced by the hosts. */
  sync(text: string, ...flags: string[]): Promise<RunResult>;
  /** The tags of a repository of the destination; empty if there is none. */
  tags(repository: string): Promise<string>;
}

export async function openMirror(
  t: Scope,
  {
    source = startServe(t),
    destination = startServe(t),
  }: {
    readonly source?: ServedRegistry | Promise<ServedRegistry>;
    readonly destination?: ServedRegistry | Promise<ServedRegistry>;
  } = {},
): Promise<Mirror> {
  const [from, to] = await Promise.all([source, destination]);
  const { home } = await sandbox(t);
  return {
    source: from,
    destination: to,
    push: (name, content) => pushTo(from.registry, name, content),
    async sync(text, ...flags) {
      const file = join(home, 'mirror.yaml');
      await writeFile(file, text.replaceAll('SOURCE', from.host).replaceAll('DESTINATION', to.host));
      return ocictl(t, ['sync', 'mirror.yaml', ...flags]);
    },
    tags: (repository) => tagsOf(to.registry, repository),
  };
}

export async function pushTo(registry: Registry, name: string, content = name): Promise<Built> {
  const [repo = '', tag = ''] = name.split(':');
  const image = await buildImage({ layers: [{ files: { content } }] });
  await pushImage(registry, parseRepositoryName(repo), parseTag(tag), image);
  return image;
}

export async function tagsOf(registry: Registry, repository: string): Promise<string> {
  const tags: string[] = [];
  const list = async (): Promise<void> => {
    for await (const tag of registry.tags(parseRepositoryName(repository))) tags.push(tag);
  };
  await unlessUnknown(list());
  return tags.join(' ');
}

export async function digestOf(registry: Registry, name: string): Promise<Digest | undefined> {
  const [repo = '', tag = ''] = name.split(':');
  return (await unlessUnknown(registry.statManifest(parseRepositoryName(repo), parseTag(tag))))?.digest;
}

/** The requests that `-v` told of and that were answered, without hosts and digests: `HEAD manifests`. */
export function requestsIn(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^(GET|HEAD|PUT|POST|PATCH|DELETE) http\S+\/v2\/(\S*) → \d{3} /gm)].map(
    ([, method, path = '']) => `${method} ${/(manifests|blobs|tags|_catalog|referrers)/.exec(path)?.[0] ?? path}`,
  );
}

/** What comes in place of the answer of a registry, or beside it. */
interface Intervention {
  /** The status of an answer of its own; absent: the registry answers. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server in front of a registry, that reads pass. @param intervene Decides about each request. */
export async function inFront(
  t: Scope,
  { url }: Pick<ServedRegistry, 'url'>,
  intervene: (request: AskedRequest) => Intervention | Promise<Intervention>,
): Promise<string> {
  const server = await startFakeServer(t, async (request, response) => {
    const { status, headers = {} } = await intervene(request);
    if (status !== undefined) return void response.writeHead(status, headers).end();
    const { method, path, query } = request;
    const { accept = '*/*' } = request.headers;
    const answer = await fetch(`${url}${path}?${query}`, { method, headers: { accept } });
    response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), ...headers });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  return server.host;
}
