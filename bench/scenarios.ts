/** Loads of registries, each a kind of request from so many clients. */
import { rm } from 'node:fs/promises';
import { randomLayer } from '../test/support/layer.ts';
import { type Bench, failure, tell, titled } from './context.ts';
import { distinctBlobs, type Load, load, putBlob } from './load.ts';
import { peakOf } from './measure.ts';
import { compared, type Section, summarize } from './results.ts';
import type { Server } from './servers.ts';
import type { Shape } from './shapes.ts';
import { type Get, get } from './wrk.ts';

/** A kind of request, from so many clients. */
export interface Scenario {
  readonly title: string;
  readonly clients: number;
  readonly moves: boolean;
  run(server: Server): Promise<Load>;
}

/** GETs the same again and again for two seconds. */
export function getting(
  title: string,
  clients: number,
  asked: Pick<Get, 'path' | 'accept'>,
  directory: string,
): Scenario {
  const run = ({ host }: Server): Promise<Load> => get(directory, { ...asked, host, clients, seconds: 2 });
  return { title, clients, moves: false, run };
}

/** Of what is still under way when time is over the bytes count, or a few large requests would make a coarse figure. */
export function downloading(title: string, clients: number, { path, size }: Layer, directory: string): Scenario {
  const run = async ({ host }: Server): Promise<Load> => {
    const done = await get(directory, { host, path, clients, seconds: 5 });
    return { ...done, requests: done.bytes / size };
  };
  return { title, clients, moves: true, run };
}

export function putting(title: string, clients: number, bytes: number, count: number): Scenario {
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

/** Loads the servers in turn. @param place The part of the bench, and the name of the server that the ratios compare with. */
export async function measureServers(
  bench: Bench,
  { part, base }: { readonly part: string; readonly base: string },
  servers: readonly Server[],
  scenario: Scenario,
): Promise<Section> {
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
  const section: Section = { part, title, unit: 'requests/s', rows: compared(rows, base), failures };
  return rows.some(({ name }) => name === base) ? { ...section, base } : section;
}

export interface Layer {
  readonly path: string;
  readonly size: number;
}

/** Where the first layer of an image that `fill` made is. */
export async function firstLayer({ name, layerBytes }: Pick<Shape, 'name' | 'layerBytes'>): Promise<Layer> {
  const { descriptor } = await randomLayer(layerBytes, `${name}-v1-0`);
  return { path: `/v2/bench/${name}/blobs/${descriptor.digest}`, size: descriptor.size };
}
