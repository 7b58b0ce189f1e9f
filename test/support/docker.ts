import { once } from 'node:events';
import { join } from 'node:path';
import { start } from './process.ts';
import { atEnd, type Scope, sandbox, temporaryDirectory } from './sandbox.ts';

/**
 * Starts Docker's daemon, without networks, with all its data in a temporary directory. Needs root.
 *
 * @param more Options of the daemon.
 * @returns The environment in which `docker` finds it.
 */
export async function startDocker(t: Scope, more: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
  const directory = await temporaryDirectory(t);
  const { env } = await sandbox(t);
  const socket = `unix://${join(directory, 'docker.sock')}`;
  const places = { '--data-root': 'data', '--exec-root': 'run', '--pidfile': 'docker.pid' };
  const words = Object.entries(places).flatMap(([flag, name]) => [flag, join(directory, name)]);
  const isolated = ['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs'];
  const path = `${env['PATH']}:/usr/sbin:/sbin`;
  const running = start(t, 'dockerd', [...words, ...isolated, ...more, '-H', socket], { env: { ...env, PATH: path } });
  atEnd(t, async () => {
    if (running.child.exitCode !== null) return;
    // A daemon that is killed at once would leave its containerd behind.
    const gone = once(running.child, 'close');
    running.child.kill('SIGTERM');
    await gone;
  });
  await running.waitFor(/API listen on/);
  return { DOCKER_HOST: socket };
}
