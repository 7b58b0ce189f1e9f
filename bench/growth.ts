import { join } from 'node:path';
import { type Bench, failure, scaled, scoped, tell } from './context.ts';
import { distinctBlobs, load, putBlob } from './load.ts';
import { measure, peakOf, resetPeak } from './measure.ts';
import type { Row, Section } from './results.ts';
import { type Server, startOcictl } from './servers.ts';
import { fill } from './shapes.ts';

/** Something that there can be many of: what to do with so many, each step a row. */
type Grow = (bench: Bench, here: Here, count: number) => Promise<readonly Step[]>;
type Step = readonly [name: string, run: Run];
type Run = { readonly wallMs: number; readonly peakBytes: number };

interface Here {
  readonly server: Server;
  readonly directory: string;
}

const kinds: readonly (readonly [title: string, count: number, grow: Grow])[] = [
  ['tags of a repository', 10_000, growTags],
  ['blobs of 100 bytes', 100_000, growBlobs],
  ['layers of an image', 1000, growLayers],
];

/** Time for each and peak memory at a quarter and at the whole: the time of each stays, and so does the memory. */
export async function* benchGrowth(bench: Bench): AsyncGenerator<Section> {
  const [node] = bench.nodes;
  for (const [title, most, grow] of kinds) {
    const rows: Row[] = [];
    const failures: string[] = [];
    for (const count of [scaled(bench, most / 4), scaled(bench, most)]) {
      if (!node || Date.now() >= bench.until) break;
      tell(`growth: ${count} ${title}`);
      try {
        const steps = await scoped(bench, async (scope, directory) => {
          const server = await startOcictl(bench, scope, node, join(directory, 'registry'));
          return grow(bench, { server, directory }, count);
        });
        rows.push(...steps.map(([name, run]) => row(name, run, count)));
      } catch (error) {
        failures.push(failure(bench, `ocictl, ${count}`, error));
      }
    }
    // What is the same but for the number stands together.
    rows.sort((a, b) => a.name.localeCompare(b.name));
    yield { part: 'growth', title: `growth: ${title}`, unit: 'ms', rows, failures };
  }
}

async function growTags(bench: Bench, { server }: Here, count: number): Promise<Step[]> {
  const path = 'bench/tags';
  await fill(server.host, path, { name: 'tags', images: 1, layers: 1, layerBytes: 100 });
  const manifest = await fetch(`http://${server.host}/v2/${path}/manifests/v1`);
  const type = { 'content-type': manifest.headers.get('content-type') ?? '' };
  const body = [new Uint8Array(await manifest.arrayBuffer())];
  const put = await loaded(server, count, async (ask, i) => {
    await ask({ method: 'PUT', path: `/v2/${path}/manifests/tag${i}`, headers: type, body });
    return 0;
  });
  const listing = await ours(bench, 'tags', `${server.host}/${path}`);
  return [
    ['PUT of tags, the server', put],
    ['ocictl tags', listing],
  ];
}

async function growBlobs(_bench: Bench, { server }: Here, count: number): Promise<Step[]> {
  const blob = distinctBlobs(100);
  const path = 'bench/blobs';
  const put = await loaded(server, count, (ask, i) => putBlob(ask, path, blob(i)));
  const head = await loaded(server, count, async (ask, i) => {
    await ask({ method: 'HEAD', path: `/v2/${path}/blobs/${blob(i).digest}` });
    return 0;
  });
  return [
    ['PUT, the server', put],
    ['HEAD, the server', head],
  ];
}

async function growLayers(bench: Bench, { server, directory }: Here, count: number): Promise<Step[]> {
  await fill(server.host, 'bench/layers', { name: 'layers', images: 1, layers: count, layerBytes: 1000 });
  const image = `${server.host}/bench/layers:v1`;
  const grown = { ...bench, env: { ...bench.env, OCICTL_ROOT: join(directory, 'store') } };
  return [
    ['ocictl pull', await ours(grown, 'pull', '-q', image)],
    ['ocictl pull again', await ours(grown, 'pull', '-q', image)],
    ['ocictl copy into a layout', await ours(grown, 'copy', '-q', image, `oci:${join(directory, 'layout')}:v1`)],
  ];
}

async function loaded(server: Server, count: number, job: Parameters<typeof load>[2]): Promise<Run> {
  resetPeak(server.pid);
  const { seconds } = await load(server.host, 16, async (ask, i) => i < count && job(ask, i));
  return { wallMs: seconds * 1000, peakBytes: peakOf(server.pid) };
}

function ours({ nodes, bin, env }: Bench, ...words: string[]): Promise<Run> {
  return measure([nodes[0]?.path ?? process.execPath, bin, ...words], { env });
}

function row(name: string, { wallMs, peakBytes }: Run, items: number): Row {
  return { name, median: wallMs, min: wallMs, max: wallMs, runs: 1, peakBytes, items };
}
