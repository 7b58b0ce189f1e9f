import { spawn, spawnSync } from 'node:child_process';
import { atEnd, type Scope } from '../../test/support/sandbox.ts';

const marker = 'OCICTL_BENCH_OWN_NETWORK';
/** An address of the machine in {@link inOwnNetwork}, in a network that no table lists as private or loopback. */
const outside = '198.51.100.7';

const words = [...(process.geteuid?.() === 0 ? [] : ['--map-root-user']), '--net', '--mount', '--'];
const script = ['set -e', 'ip link set lo up', `ip address add ${outside}/24 dev lo`, 'exec "$@"'].join('\n');

/** The address for relays: {@link outside}, or loopback where this is not a network of its own. */
export function relayAddress(): string {
  return process.env[marker] === '1' ? outside : '127.0.0.1';
}

/** Whether the bench is to be run again by {@link inOwnNetwork}. */
export function canHaveOwnNetwork(): boolean {
  if (process.env[marker] === '1') return false;
  return spawnSync('unshare', [...words, 'sh', '-c', script, 'sh', 'true']).status === 0;
}

/** Runs this program again, with these arguments, in a network namespace of its own. @throws Error when it fails. */
export async function inOwnNetwork(scope: Scope, args: readonly string[], stdout: 'inherit' | 'ignore'): Promise<void> {
  const [program = ''] = process.argv.slice(1);
  const again = [process.execPath, program, ...args];
  const child = spawn('unshare', [...words, 'sh', '-c', script, 'sh', ...again], {
    env: { ...process.env, [marker]: '1' },
    stdio: ['ignore', stdout, 'inherit'],
  });
  atEnd(scope, () => child.kill());
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  if (status !== 0) throw new Error(`in a network of its own: ended with ${status}`);
}
