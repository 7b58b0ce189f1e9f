import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { start } from '../process.ts';
import { atEnd, type Scope, temporaryDirectory } from '../sandbox.ts';

const exec = promisify(execFile);
const marker = 'OCICTL_TEST_OWN_NETWORK';

/** An address of the machine in {@link inOwnNetwork}, in a network that no table lists as private. */
export const outside = '198.51.100.7';
/** The address of metadata in clouds; this machine answers there too. */
export const metadata = '169.254.169.254';

/**
 * Runs the tests of a file in a network namespace of its own, where this machine also has public addresses and names
 * resolve as {@link startNames} says. They are skipped where namespaces are not permitted.
 *
 * @param file The URL of the module that calls.
 */
export function inOwnNetwork(file: string, tests: () => void): void {
  if (process.env[marker] === '1') tests();
  else it('runs in a network of its own', (t) => runAgain(t, new URL(file).pathname));
}

async function runAgain(t: TestContext, file: string): Promise<void> {
  const unshared = ['--map-root-user', '--net', '--mount', '--'];
  const refusal = await exec('unshare', [...unshared, 'true']).then(
    () => undefined,
    (error: unknown) => String((error as { stderr?: string }).stderr ?? error).trim(),
  );
  if (refusal !== undefined) return t.skip(`a network of its own was refused: ${refusal}`);
  const resolver = join(await temporaryDirectory(t), 'resolv.conf');
  await writeFile(resolver, 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n');
  const script = [
    'set -e',
    'ip link set lo up',
    `ip address add ${outside}/24 dev lo`,
    `ip address add ${metadata}/32 dev lo`,
    'mount --bind "$1" /etc/resolv.conf',
    'exec "$2" --test --test-reporter=spec "$3"',
  ].join('\n');
  const words = [...unshared, 'sh', '-c', script, 'sh', resolver, process.execPath, file];
  // Otherwise the runner would take its child process for one of the outer run.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env as Record<string, string>;
  const { exitCode, stdout, stderr } = await start(t, 'unshare', words, {
    env: { ...env, [marker]: '1' },
    timeoutMs: 600_000,
  }).result;
  if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
}

/**
 * A DNS server. It knows the given addresses, and no IPv6 addresses.
 *
 * @param addressesOf Called for each question for IPv4 addresses; undefined: there is no such name.
 */
export async function startNames(
  t: Scope,
  addressesOf: (name: string) => readonly string[] | undefined,
): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (question, { address, port }) => socket.send(answerTo(question, addressesOf), port, address));
  socket.bind(53, '127.0.0.1');
  await once(socket, 'listening');
  atEnd(t, () => socket.close());
}

/** @see https://www.rfc-editor.org/rfc/rfc1035#section-4 */
function answerTo(question: Buffer, addressesOf: (name: string) => readonly string[] | undefined): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const asked = question.subarray(12, at + 5);
  const type = question.readUInt16BE(at + 1);
  const known = addressesOf(labels.join('.').toLowerCase());
  const addresses = type === 1 ? (known ?? []).filter(isIPv4) : [];
  const head = Buffer.from(question.subarray(0, 12));
  // Flags: an answer, with recursion; NXDOMAIN for unknown names.
  head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  // Each record: the name as in the question, type A, class IN, a time to live of 0, four bytes.
  const records = addresses.map((text) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...text.split('.').map(Number)]),
  );
  return Buffer.concat([head, asked, ...records]);
}
