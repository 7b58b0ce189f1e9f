import { rm } from 'node:fs/promises';
import { mediaTypes } from '../src/model/manifest/media-types.ts';
import { randomLayer } from '../test/support/layer.ts';
import { type Bench, failure, scaled, scoped, tell, titled } from './context.ts';
import { distinctBlobs, type Load, load, putBlob } from './load.ts';
import { peakOf } from './measure.ts';
import { compared, type Section, summarize } from './results.ts';
import { type Server, startServers } from './servers.ts';
import { fill, type Shape } from './shapes.ts';
import { get } from './wrk.ts';

/** A kind of request, from so many clients. */
interface Scenario {
  readonly title: string;
  readonly clients: number;
  readonly moves: boolean;
  run(server: Server): Promise<Load>;
}

/** `ocictl serve` beside docker-registry, which wait while the other is asked. */
export async function* benchServe(bench: Bench): AsyncGenerator<Section> {
  if (Date.now() >= bench.until) return;
  yield* await scoped(bench, async (_, directory) => {
    const large = { name: 'large', images: 1, layers: 1, layerBytes: scaled(bench, 100e6) };
    const small = { name: 'small', images: scaled(bench, 100), layers: 1, layerBytes: 8192 };
    await scoped(bench, async (scope) => {
      tell('filling the servers');
      for (const { host } of await startServers(bench, scope, directory)) {
        await fill(host, 'bench/large', large);
        await fill(host, 'bench/small', small);
      }
    });
    const [largeBlob, smallBlob] = [await firstLayer(large), await firstLayer(small)];
    const scenarios = [1, 16].flatMap((clients) => {
      const getting = (title: string, path: string, accept?: string): Scenario => ({
        ...{ title, clients, moves: false },
        run: ({ host }) => get(directory, { host, path, clients, seconds: 2, ...(accept !== undefined && { accept }) }),
      });
      return [
        downloading('blob GET of 100 MB', clients, largeBlob, directory),
        getting('blob GET of 10 kB', smallBlob.path),
        getting('manifest GET', '/v2/bench/small/manifests/v1', mediaTypes.ociManifest),
        getting('tags list of 100', '/v2/bench/small/tags/list'),
        putting('blob PUT of 10 MB', clients, 10e6, scaled(bench, 50)),
        putting('blob PUT of 10 kB', clients, 10e3, scaled(bench, 2000)),
      ];
    });
    const sections: Section[] = [];
    for (const scenario of scenarios) {
      if (Date.now() >= bench.until) break;
      // Begun anew for each, so that its memory is of this load alone.
      const section = await scoped(bench, async (scope) =>
        measureServers(bench, await startServers(bench, scope, directory), scenario),
      );
      sections.push(section);
    }
    return sections;
  });
}

/** Of what is still under way when time is over the bytes count, or a few large requests would make a coarse figure. */
function downloading(title: string, clients: number, { path, size }: Layer, directory: string): Scenario {
  const run = async ({ host }: Server): Promise<Load> => {
    const done = await get(directory, { host, path, clients, seconds: 5 });
    return { ...done, requests: done.bytes / size };
  };
  return { title, clients, moves: true, run };
}

function putting(title: string, clients: number, bytes: number, count: number): Scenario {
  const blob = distinctBlobs(bytes);
  const run = async ({ host, data }: Server): Promise<Load> => {
    const done = await load(host, clients, async (ask, i) => i < count && putBlob(ask, 'bench/put', blob(i)));
    // What was pushed goes again: a blob that is there is no work, and all of them would fill the memory.
    const uploaded = `${data}/registry/v2`;
    await rm(`${uploaded}/repositories/bench/put`, { recursive: true, force: true });
    for (let i = 0; i < count; i += 1) {
      const hex = blob(i).digest.slice('sha256:'.length);
      await rm(`${uploaded}/blobs/sha256/${hex.slice(0, 2)}/${hex}`, { recursive: true, force: true });
    }
    return done;
  };
  return { title, clients, moves: true, run };
}

async function measureServers(bench: Bench, servers: readonly Server[], scenario: Scenario): Promise<Section> {
  const { clients, moves } = scenario;
  const title = titled(bench, `${scenario.title}, ${clients} ${clients === 1 ? 'client' : 'clients'}`);
  const loads = new Map<Server, Load[]>(servers.map((server) => [server, []]));
  const failures: string[] = [];
  for (let round = 0; round <= bench.runs && (round < 2 || Date.now() < bench.until); round += 1) {
    tell(`${title}: ${round === 0 ? 'warming up' : `${round} of ${bench.runs}`}`);
    for (const [server, list] of loads) {
      try {
        const done = await scenario.run(server);
        if (round > 0) list.push(done);
      } catch (error) {
        loads.delete(server);
        failures.push(failure(bench, server.name, error));
      }
    }
  }
  const rows = [...loads].map(([{ name, pid }, list]) => ({
    name,
    ...summarize(list.map(({ requests, seconds }) => requests / seconds)),
    ...(moves && { bytesPerSecond: summarize(list.map(({ bytes, seconds }) => bytes / seconds)).median }),
    peakBytes: peakOf(pid),
  }));
  const base = rows.find(({ name }) => name === 'docker-registry')?.name;
  const section: Section = { part: 'serve', title, unit: 'requests/s', rows: compared(rows, base), failures };
  return base === undefined ? section : { ...section, base };
}

interface Layer {
  readonly path: string;
  readonly size: number;
}

/** Where the first layer of an image that `fill` made is. */
async function firstLayer({ name, layerBytes }: Pick<Shape, 'name' | 'layerBytes'>): Promise<Layer> {
  const { descriptor } = await randomLayer(layerBytes, `${name}-v1-0`);
  return { path: `/v2/bench/${name}/blobs/${descriptor.digest}`, size: descriptor.size };
}
