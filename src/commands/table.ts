import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Not for people: in no help, completion or man page. */
  readonly hidden?: true;
  readonly load: () => Promise<Command>;
}

/** Every command, by name. Only the one that is asked for is loaded; a test compares the summaries with its own. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'pull',
    summary: 'Download an image from a registry into the local store',
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    name: 'push',
    summary: 'Upload an image of the local store to a registry',
    load: async () => (await import('./push.ts')).push,
  },
  {
    name: 'copy',
    summary: 'Copy an image from one place to another, unchanged',
    load: async () => (await import('./copy.ts')).copy,
  },
  {
    name: 'tag',
    summary: 'Give an image of the local store another name',
    load: async () => (await import('./tag.ts')).tag,
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
    name: 'tags',
    summary: 'List the tags of a repository',
    load: async () => (await import('./tags.ts')).tags,
  },
  {
    name: 'delete',
    summary: 'Delete a tag or a manifest from a registry',
    load: async () => (await import('./delete.ts')).remove,
  },
  {
    name: 'serve',
    summary: 'Run a registry',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: '__complete',
    summary: 'List names for a completion script',
    hidden: true,
    load: async () => (await import('./complete.ts')).complete,
  },
  {
    name: 'version',
    summary: 'Show the version of ocictl and of what it runs on',
    load: async () => (await import('./version.ts')).version,
  },
];
