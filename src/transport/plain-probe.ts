import type { Connect, Goal } from './dial.ts';

/**
 * A ClientHello of TLS 1.2 with a few ciphers and no extensions: every TLS server answers it, be it by an alert. Its random
 * bytes begin with two line ends, for http servers that wait for one before they say what they think of it.
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

/** A server that takes longer to answer is asked in the usual way. */
const patienceMs = 250;

/**
 * Whether a server answers a TLS handshake in plain http, which can be seen by the first bytes. It saves to load TLS, 20 ms, for
 * nothing. Anything else than the beginning of an HTTP answer is a no: TLS, silence, a connection that is cut, nonsense.
 *
 * @throws what the connection fails with.
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
