import { once } from 'node:events';
import { connect, createServer } from 'node:net';

// A port that the system gives out for port 0 may be given again the moment it is free, to a test in another process. So
// ports that are named before somebody listens on them, or that nobody shall listen on, are taken from below that range.
const firstGivenOut = 32_768;

let nextDead = 600;

/** An address on loopback where nothing listens, another one at each call. Only root may listen there, and nobody is given such a port. */
export async function deadAddress(): Promise<string> {
  while (nextDead < 1024) {
    const port = nextDead++;
    if (await refuses(port)) return `127.0.0.1:${port}`;
  }
  throw new Error('no port below 1024 refuses connections');
}

/** A port for a program that is told where to listen. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_240 + Math.floor(Math.random() * (firstGivenOut - 10_240));
    const server = createServer();
    const listening = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, '127.0.0.1');
    if (!(await listening)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no free port');
}

async function refuses(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}
