/** A daemon that keeps what it is sent: as Docker with containerd's image store, or as Docker before. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { Scope } from '../sandbox.ts';
import { type FakeDaemon, fail, startFakeDaemon } from './fake-daemon.ts';

interface Kept {
  readonly id: string;
  readonly names: readonly string[];
  readonly diffIds: readonly string[];
  readonly archive: Buffer;
}

interface LoadingDaemon extends FakeDaemon {
  /** The files of each archive that was sent. */
  readonly loads: readonly ReadonlyMap<string, Buffer>[];
}

/**
 * Starts it.
 *
 * @param options.whole It refuses archives that lack a layer, also one that it has.
 * @param options.manifests It keeps manifests, and says so.
 */
export async function startLoadingDaemon(
  t: Scope,
  options: { readonly version?: string; readonly whole?: boolean; readonly manifests?: boolean } = {},
): Promise<LoadingDaemon> {
  const { version = '1.47', whole = false, manifests = false } = options;
  const kept: Kept[] = [];
  const loads: Map<string, Buffer>[] = [];
  const find = (word: string): Kept | undefined =>
    kept.findLast(
      ({ id, names }) =>
        id.startsWith(word) ||
        id.startsWith(`sha256:${word}`) ||
        names.includes(word) ||
        names.includes(`${word}:latest`),
    );
  const load = async (archive: Buffer): Promise<string> => {
    const files = await filesIn(archive);
    loads.push(files);
    const said: string[] = [];
    for (const { Config: config, RepoTags: names, Layers: layers } of parse(files.get('manifest.json'))) {
      const { rootfs } = parse(files.get(config));
      const known = (count: number): boolean =>
        !whole &&
        kept.some(({ diffIds }) => rootfs.diff_ids.slice(0, count).every((id: string, i: number) => id === diffIds[i]));
      for (const [i, layer] of layers.entries()) {
        if (!files.has(layer) && !known(i + 1))
          return JSON.stringify({ error: `open /tmp/${layer}: no such file or directory` });
      }
      const root = parse(files.get('index.json')).manifests[0].digest;
      const id = manifests ? root : `sha256:${config.split('/').at(-1)}`;
      kept.push({ id, names: names ?? [], diffIds: rootfs.diff_ids, archive });
      said.push(JSON.stringify({ stream: `Loaded image: ${names?.[0] ?? id}\n` }));
    }
    return said.join('\n');
  };
  const reply = (response: ServerResponse, value: unknown): void => void response.end(JSON.stringify(value));
  const show = ({ id, names, diffIds }: Kept) => ({ Id: id, RepoTags: names, RootFS: { Layers: diffIds } });
  const fake = await startFakeDaemon(
    t,
    { version },
    {
      'GET /version': (response) => reply(response, { Os: 'linux', Arch: 'amd64' }),
      'GET /info': (response) =>
        reply(response, { DriverStatus: manifests ? [['driver-type', 'io.containerd.snapshotter.v1']] : null }),
      'GET /images/json': (response) => reply(response, kept.map(show)),
      'GET /images/get'(response, _, url) {
        const image = find(url.searchParams.get('names') ?? '');
        if (image) response.end(image.archive);
        else fail(response, 404, 'No such image');
      },
      async 'POST /images/load'(response, incoming) {
        response.end(await load(await buffer(incoming)));
      },
      '*'(response, _, url) {
        const [, name = ''] = /\/images\/(.+)\/json$/.exec(decodeURI(url.pathname)) ?? [];
        const image = find(name);
        if (image) reply(response, show(image));
        else fail(response, 404, `No such image: ${name}`);
      },
    },
  );
  return { ...fake, loads };
}

async function filesIn(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = Readable.from([archive]).pipe(extract());
  for await (const entry of entries) files.set(entry.header.name, await buffer(entry));
  return files;
}

// biome-ignore lint/suspicious/noExplicitAny: documents that the code under test has written
function parse(bytes: Buffer | undefined): any {
  return JSON.parse(String(bytes));
}
