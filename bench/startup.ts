import { join } from 'node:path';
import { findProgram, startDockerRegistry } from '../test/support/programs.ts';
import { type Bench, scoped } from './context.ts';
import type { Command } from './measure.ts';
import { type At, peers, ref } from './programs.ts';
import { race } from './race.ts';
import type { Section } from './results.ts';
import { fill } from './shapes.ts';

/** What a command costs that does next to nothing. */
export async function* benchStartup(bench: Bench): AsyncGenerator<Section> {
  if (Date.now() >= bench.until) return;
  yield* await scoped(bench, async (scope, directory) => {
    const { host } = await startDockerRegistry(scope, { root: join(directory, 'registry') });
    await fill(host, 'bench/small', { name: 'small', images: 1, layers: 1, layerBytes: 1000 });
    const of: At = { host, path: 'bench/small', tags: ['v1'] };
    const sections: Section[] = [];
    for (const { path, name } of bench.nodes) {
      const ours = (...words: string[]): Command[] => [[path, bench.bin, ...words]];
      const title = `start-up, ${name}`;
      const runners = [
        { name: 'node -e 0', commands: [[path, '-e', '0']] },
        { name: 'ocictl --version', commands: ours('--version') },
        { name: 'ocictl images', commands: ours('images') },
        { name: 'ocictl digest', commands: ours('digest', ref(of)) },
      ];
      sections.push(await race(bench, { part: 'startup', title, runners, base: (row) => row === 'node -e 0' }));
    }
    const runners = peerCommands(of)
      .filter(([, [program = '']]) => findProgram(program) !== undefined)
      .map(([name, command]) => ({ name, commands: [command] }));
    if (runners.length === 0) return sections;
    const title = 'start-up of the peers';
    return [...sections, await race(bench, { part: 'startup', title, runners, base: () => true })];
  });
}

function peerCommands(of: At): (readonly [name: string, command: Command])[] {
  return peers('http').flatMap(({ name, version, digest }) => [
    [`${name} version`, version] as const,
    [`${name} digest`, digest(of)] as const,
  ]);
}
