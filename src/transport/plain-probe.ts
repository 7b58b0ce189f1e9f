import type { Connect, Goal } from './dial.ts';

/**
 * A ClientHello of TLS 1.2 with a few ciphers and no extensions. Every TLS server answers it, at least with an alert.
 * Its random bytes begin with two line ends, because some http servers wait for one before they answer.
 */
const hello = Buffer.from(
  [
    '160301003b', // record: handshake
    '01000037', // ClientHello
    '0303', // TLS 1.2
    '0d0a0d0a'.padEnd(64, '6f63696374'), // random
    '00', // no session
    '0010', // ciphers
    'c02bc02fc02cc030009c009d002f0035',
    '0100', // no compression
  ].join(''),
  'hex',
);

/** After this time the usual handshake is made. */
const patienceMs = 250;

/**
 * Whether a server answers a TLS handshake in plain http. That shows in the first bytes, and saves loading TLS, which takes
 * 20 ms. Everything but the beginning of an HTTP response means no: TLS, silence, a cut connection, or other data.
 *
 * @throws the error of the connection.
 */
export async function answersInPlain(connect: Connect, { onread: _, ...goal }: Goal): Promise<boolean> {
  const socket = await connect(goal);
  return new Promise<boolean>((resolve) => {
    let heard = '';
    const settle = (plain: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(plain);
    };
    const timer = setTimeout(settle, patienceMs, false);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1', 0, 16);
      const opening = 'HTTP/1.';
      if (heard.startsWith(opening)) settle(true);
      else if (!opening.startsWith(heard)) settle(false);
    });
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
    socket.write(hello);
  });
}
