import { mediaTypes } from '../src/model/manifest/media-types.ts';
import { type Bench, scaled, scoped, tell } from './context.ts';
import type { Section } from './results.ts';
import { downloading, firstLayer, getting, measureServers, putting } from './scenarios.ts';
import { startServers } from './servers.ts';
import { fill } from './shapes.ts';

const place = { part: 'serve', base: 'docker-registry' };

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
    const manifest = { path: '/v2/bench/small/manifests/v1', accept: mediaTypes.ociManifest };
    const scenarios = [1, 16].flatMap((clients) => [
      downloading('blob GET of 100 MB', clients, largeBlob, directory),
      getting('blob GET of 10 kB', clients, smallBlob, directory),
      getting('manifest GET', clients, manifest, directory),
      getting('tags list of 100', clients, { path: '/v2/bench/small/tags/list' }, directory),
      putting('blob PUT of 10 MB', clients, 10e6, scaled(bench, 50)),
      putting('blob PUT of 10 kB', clients, 10e3, scaled(bench, 2000)),
    ]);
    const sections: Section[] = [];
    for (const scenario of scenarios) {
      if (Date.now() >= bench.until) break;
      // Begun anew for each, so that its memory is of this load alone.
      const section = await scoped(bench, async (scope) =>
        measureServers(bench, place, await startServers(bench, scope, directory), scenario),
      );
      sections.push(section);
    }
    return sections;
  });
}
