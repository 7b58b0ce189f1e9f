import { join } from 'node:path';
import { start } from '../test/support/process.ts';
import { startDockerRegistry } from '../test/support/programs.ts';
import type { Scope } from '../test/support/sandbox.ts';
import type { Bench, NodeProgram } from './context.ts';

/** A registry that is measured itself. */
export interface Server {
  readonly name: string;
  readonly host: string;
  readonly pid: number | undefined;
  /** What is to be removed for an empty one; neither keeps anything in memory. */
  readonly data: string;
}

const hourMs = 3_600_000;

/** @param more Words for `serve`, and variables. */
export async function startOcictl(
  bench: Bench,
  scope: Scope,
  node: NodeProgram,
  root: string,
  more: { readonly words?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Server> {
  const words = [bench.bin, 'serve', '--addr', '127.0.0.1:0', '--root', root, ...(more.words ?? [])];
  const running = start(scope, node.path, words, { env: { ...bench.env, ...more.env }, timeoutMs: hourMs });
  const [, host = ''] = await running.waitFor(/on http:\/\/(\S+)/);
  return { name: node.name, host, pid: running.child.pid, data: join(root, 'docker') };
}

export async function startDistribution(scope: Scope, root: string): Promise<Server> {
  const { host, pid } = await startDockerRegistry(scope, { root });
  return { name: 'docker-registry', host, pid, data: join(root, 'docker') };
}

/** All of a bench: ours with every Node, and docker-registry. */
export async function startServers(bench: Bench, scope: Scope, directory: string): Promise<Server[]> {
  const servers: Server[] = [];
  for (const [i, node] of bench.nodes.entries()) {
    servers.push(await startOcictl(bench, scope, node, join(directory, `ocictl${i}`)));
  }
  return [...servers, await startDistribution(scope, join(directory, 'distribution'))];
}
