import { join } from 'node:path';
import { mediaTypes } from '../src/model/manifest/media-types.ts';
import { distributionStorage, type S3Gateway, startVersitygw } from '../test/support/programs/versitygw.ts';
import { findProgram, startDockerRegistry } from '../test/support/programs.ts';
import type { Scope } from '../test/support/sandbox.ts';
import { type Bench, failure, scaled, scoped, tell } from './context.ts';
import { distinctBlobs, load, putBlob } from './load.ts';
import { type Row, type Section, summarize } from './results.ts';
import { downloading, firstLayer, getting, measureServers, putting, type Scenario } from './scenarios.ts';
import { type Server, startOcictl } from './servers.ts';
import { fill } from './shapes.ts';

const place = { part: 'serve-s3', base: 'distribution 3' };
const clients = 16;
const counted = { bytes: 1e6, pushes: 5 };

/** `ocictl serve` beside distribution 3: both keep everything in one bucket of the same versitygw. */
export async function* benchServeS3(bench: Bench): AsyncGenerator<Section> {
  if (Date.now() >= bench.until) return;
  const missing = ['versitygw', 'registry'].filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) {
    const failures = [`it needs ${missing.join(' and ')} on PATH`];
    yield { part: place.part, title: 'S3', unit: 'requests/s', rows: [], failures };
    return;
  }
  yield* await scoped(bench, async (outer, directory) => {
    // As stores do; by default it closes a connection after each request.
    const gateway = await startVersitygw(outer, { parent: directory, words: ['--keep-alive'] });
    const large = { name: 'large', images: 1, layers: 1, layerBytes: scaled(bench, 100e6) };
    const small = { name: 'small', images: scaled(bench, 100), layers: 1, layerBytes: 8192 };
    await scoped(bench, async (scope) => {
      tell('filling the servers');
      for (const { host } of await startBoth(bench, scope, gateway, false)) {
        await fill(host, 'bench/large', large);
        await fill(host, 'bench/small', small);
      }
    });
    const [largeBlob, smallBlob] = [await firstLayer(large), await firstLayer(small)];
    const manifest = { path: '/v2/bench/small/manifests/v1', accept: mediaTypes.ociManifest };
    const scenarios: readonly (Scenario & { readonly redirects?: boolean })[] = [
      downloading('blob GET of 100 MB', clients, largeBlob, directory),
      getting('blob GET of 10 kB', clients, smallBlob, directory),
      { ...getting('blob GET, redirected', clients, smallBlob, directory), redirects: true },
      getting('manifest GET', clients, manifest, directory),
      getting('tags list of 100', clients, { path: '/v2/bench/small/tags/list' }, directory),
      putting('blob PUT of 10 MB', clients, 10e6, scaled(bench, 50)),
      putting('blob PUT of 10 kB', clients, 10e3, scaled(bench, 500)),
    ];
    const sections: Section[] = [];
    for (const { redirects = false, ...scenario } of scenarios) {
      if (Date.now() >= bench.until) break;
      const title = `S3: ${scenario.title}`;
      const section = await scoped(bench, async (scope) =>
        measureServers(bench, place, await startBoth(bench, scope, gateway, redirects), { ...scenario, title }),
      );
      sections.push(section);
    }
    return [...sections, await scoped(bench, (scope) => countRequests(bench, scope, gateway))];
  });
}

/** Ours with every Node, and distribution, each below a prefix of its own. */
async function startBoth(bench: Bench, scope: Scope, gateway: S3Gateway, redirects: boolean): Promise<Server[]> {
  const servers: Server[] = [];
  const dataOf = (prefix: string): string => join(gateway.directory, prefix, 'docker');
  for (const [i, node] of bench.nodes.entries()) {
    const prefix = `ocictl${i}`;
    const query = new URLSearchParams({ endpoint: gateway.url, region: gateway.region, 'path-style': 'true' });
    const words = redirects ? ['--redirect'] : [];
    const root = `s3://${gateway.bucket}/${prefix}?${query}`;
    const server = await startOcictl(bench, scope, node, root, { words, env: gateway.env });
    servers.push({ ...server, data: dataOf(prefix) });
  }
  const { redirect, ...storage } = distributionStorage(gateway, 'distribution');
  const { host, pid } = await startDockerRegistry(scope, {
    distribution: 3,
    storage: redirects ? storage : { ...storage, redirect },
    env: { OTEL_TRACES_EXPORTER: 'none' },
  });
  return [...servers, { name: place.base, host, pid, data: dataOf('distribution') }];
}

/** One push after the other, and what each asks the gateway for. */
async function countRequests(bench: Bench, scope: Scope, gateway: S3Gateway): Promise<Section> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const { name, host } of await startBoth(bench, scope, gateway, false)) {
    // The first push writes what later ones find, such as marks of this process.
    const blob = distinctBlobs(counted.bytes);
    const times: number[] = [];
    try {
      await load(host, 1, async (ask, i) => i === 0 && putBlob(ask, 'bench/counted', blob(i)));
      const before = (await gateway.requests()).length;
      for (let i = 1; i <= counted.pushes; i += 1) {
        const { seconds } = await load(
          host,
          1,
          async (ask, nth) => nth === 0 && putBlob(ask, 'bench/counted', blob(i)),
        );
        times.push(seconds * 1000);
      }
      const requests = ((await gateway.requests()).length - before) / counted.pushes;
      rows.push({ name, ...summarize(times), requests });
    } catch (error) {
      failures.push(failure(bench, name, error));
    }
  }
  return { part: place.part, title: 'S3: requests to it for a blob push of 1 MB', unit: 'ms', rows, failures };
}
