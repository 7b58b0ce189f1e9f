import type { Command } from './command.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, by name. Only the one that is asked for is loaded; a test compares the summaries with its own. */
export const commandTable: readonly Entry[] = [
  {
    name: 'pull',
    summary: 'Download an image from a registry into the local store',
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    name: 'images',
    summary: 'List the images of the local store',
    load: async () => (await import('./images.ts')).images,
  },
  {
    name: 'rmi',
    summary: 'Remove images from the local store',
    load: async () => (await import('./rmi.ts')).rmi,
  },
  {
    name: 'serve',
    summary: 'Run a registry',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'version',
    summary: 'Show the version of ocictl and of what it runs on',
    load: async () => (await import('./version.ts')).version,
  },
];
