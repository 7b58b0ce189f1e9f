/** A SOCKS 5 proxy on loopback. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atEnd, type Scope } from '../sandbox.ts';

interface TestSocks {
  readonly host: string;
  /** The destinations that were requested, in order: names as names. */
  readonly asked: readonly string[];
}

interface TestSocksOptions {
  /** Answers each request with this reply of RFC 1928. */
  readonly reply?: number;
  /** Accepts only this `user:password`. */
  readonly user?: string;
  /** Where all connections go, whatever was requested. */
  readonly to?: string;
  /** Sends only this, whatever was requested. */
  readonly says?: string;
}

/** @see https://www.rfc-editor.org/rfc/rfc1928 and https://www.rfc-editor.org/rfc/rfc1929 */
export async function startTestSocks(t: Scope, options: TestSocksOptions = {}): Promise<TestSocks> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const serve = async (client: Socket): Promise<void> => {
    const read = reader(client);
    const [, count = 0] = await read(2);
    const methods = await read(count);
    if (options.says !== undefined) return void client.end(options.says);
    if (options.user !== undefined) {
      if (!methods.includes(2)) return void client.end(Buffer.of(5, 0xff));
      client.write(Buffer.of(5, 2));
      const [, nameLength = 0] = await read(2);
      const name = (await read(nameLength)).toString();
      const password = (await read((await read(1))[0] ?? 0)).toString();
      if (`${name}:${password}` !== options.user) return void client.end(Buffer.of(1, 1));
      client.write(Buffer.of(1, 0));
    } else client.write(Buffer.of(5, 0));
    const [, , , type] = await read(4);
    const host =
      type === 1
        ? [...(await read(4))].join('.')
        : type === 4
          ? (await read(16)).toString('hex')
          : (await read((await read(1))[0] ?? 0)).toString();
    const port = (await read(2)).readUInt16BE();
    asked.push(`${host}:${port}`);
    const reply = (code: number): Buffer => Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
    if (options.reply !== undefined) return void client.end(reply(options.reply));
    const goal = new URL(`http://${options.to ?? `${host}:${port}`}`);
    const upstream = connect(Number(goal.port || port), goal.hostname, () => {
      client.write(reply(0));
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  };
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => {});
    serve(client).catch(() => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Reads exactly this many bytes. */
function reader(socket: Socket): (size: number) => Promise<Buffer> {
  return async (size) => {
    for (;;) {
      const chunk = size === 0 ? Buffer.alloc(0) : (socket.read(size) as Buffer | null);
      if (chunk !== null) return chunk;
      await once(socket, 'readable');
      if (socket.readableEnded) throw new Error('ended');
    }
  };
}
