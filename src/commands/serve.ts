import { OciError } from '../model/errors.ts';
import { defineCommand, flag, list, value } from './command.ts';

const defaultAddress = '127.0.0.1:5000';
const graceMs = 10_000;

export const serve = defineCommand({
  name: 'serve',
  summary: 'Run a registry',
  description:
    'Keeps images in a directory of its own (--root), in memory (--memory), or offers the local store, which nobody can\n' +
    'write to over HTTP (--store). The first line on stdout says where it listens. It stops on Ctrl-C or SIGTERM, after\n' +
    'the requests that are under way.',
  arguments: [],
  options: {
    address: value('--addr <host:port>', `Where to listen; port 0 takes a free one (default ${defaultAddress})`),
    allowHost: list('--allow-host <host>', 'Answer to this name too, where only this machine reaches it'),
    root: value('--root <dir>', 'Keep images in this directory'),
    memory: flag('--memory', 'Keep images in memory, until it stops'),
    store: flag('--store', 'Offer the images of the local store, read-only'),
    mirrorOf: value('--mirror-of <domain>', 'Offer what came from this domain under plain names, as its mirror'),
    readOnly: flag('--read-only', 'Refuse pushes and deletes'),
  },
  examples: [
    { text: 'A registry for the length of a test', command: 'serve --memory --addr 127.0.0.1:0' },
    { text: 'What was pulled here, as a mirror of Docker Hub', command: 'serve --store --mirror-of docker.io' },
  ],
  async run({ options }, context) {
    if ([options.root !== undefined, options.memory, options.store].filter(Boolean).length > 1) {
      throw new OciError('USAGE', 'conflicting options: --root, --memory and --store name different places', {
        hint: 'choose one of them',
      });
    }
    const { terminal, signal } = context;
    const { host, port } = parseAddress(options.address ?? defaultAddress);
    const served = await context.openServed(options);
    const { serve: listen } = await import('../server/server.ts');
    const { allowHost: allowedHosts } = options;
    const server = await listen({ registry: served.registry, host, port, allowedHosts, deletes: true });
    await terminal.out(`Serving ${served.what} on ${server.url}\n`);
    const place = `${host.includes(':') ? `[${host}]` : host}:${server.port}`;
    const how =
      options.mirrorOf === undefined ? `ocictl pull ${place}/NAME` : `ocictl pull --registry-mirror ${server.url} NAME`;
    terminal.note(`pull from it with: ${how}`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    terminal.note('stopping, after the requests that are under way');
    await server.stop({ graceMs });
  },
});

function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new OciError('USAGE', `invalid address ${JSON.stringify(address)}`, {
      hint: 'an address is host:port, as in 127.0.0.1:5000 or [::1]:0',
    });
  }
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port };
}
