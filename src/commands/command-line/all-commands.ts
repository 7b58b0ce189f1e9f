import type { Command } from './command.ts';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly aliases?: readonly string[];
  /** Not listed in help, completion or man pages. */
  readonly hidden?: true;
  readonly load: () => Promise<Command>;
}

/**
 * Every command, by name. Only the requested one is loaded; a test compares the summaries here with those of the commands.
 */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'pull',
    summary: 'Download an image from a registry into the local store',
    load: async () => (await import('../pull.ts')).pull,
  },
  {
    name: 'push',
    summary: 'Upload an image of the local store to a registry',
    load: async () => (await import('../push.ts')).push,
  },
  {
    name: 'copy',
    summary: 'Copy an image from one place to another',
    load: async () => (await import('../copy.ts')).copy,
  },
  {
    name: 'sync',
    summary: 'Copy what a file lists, and only what has changed',
    load: async () => (await import('../sync.ts')).sync,
  },
  {
    name: 'save',
    summary: 'Write images to an archive',
    load: async () => (await import('../save.ts')).save,
  },
  {
    name: 'load',
    summary: 'Load images from an archive into the local store',
    load: async () => (await import('../load.ts')).load,
  },
  {
    name: 'tag',
    summary: 'Give an image another name, or a tag in its registry',
    load: async () => (await import('../tag.ts')).tag,
  },
  {
    name: 'images',
    summary: 'List the images of the local store',
    load: async () => (await import('../images.ts')).images,
  },
  {
    name: 'rmi',
    summary: 'Remove images from the local store',
    load: async () => (await import('../rmi.ts')).rmi,
  },
  {
    name: 'prune',
    summary: 'Remove what nothing in the local store refers to',
    load: async () => (await import('../prune.ts')).prune,
  },
  {
    name: 'df',
    summary: 'Show what takes space in the local store',
    load: async () => (await import('../df.ts')).df,
  },
  {
    name: 'scrub',
    summary: 'Read the local store again, and repair what is damaged',
    load: async () => (await import('../scrub.ts')).scrub,
  },
  {
    name: 'inspect',
    summary: 'Show what an image consists of, without pulling it',
    load: async () => (await import('../inspect.ts')).inspect,
  },
  {
    name: 'digest',
    summary: 'Print the digest of an image',
    load: async () => (await import('../digest.ts')).digest,
  },
  {
    name: 'login',
    summary: 'Log in to a registry',
    load: async () => (await import('../login.ts')).login,
  },
  {
    name: 'logout',
    summary: 'Log out from a registry',
    load: async () => (await import('../logout.ts')).logout,
  },
  {
    name: 'whoami',
    summary: 'Show which stored credentials are used',
    load: async () => (await import('../whoami.ts')).whoami,
  },
  {
    name: 'with-login',
    summary: 'Run a command that is logged in to one registry',
    load: async () => (await import('../with-login.ts')).withLogin,
  },
  {
    name: 'auth',
    summary: 'Print a token of a registry, for scripts',
    load: async () => (await import('../auth.ts')).auth,
  },
  {
    name: 'search',
    summary: 'Search a registry for repositories',
    load: async () => (await import('../search.ts')).search,
  },
  {
    name: 'repos',
    summary: 'List the repositories of a registry',
    aliases: ['catalog'],
    load: async () => (await import('../repos.ts')).repos,
  },
  {
    name: 'tags',
    summary: 'List the tags of a repository',
    load: async () => (await import('../tags.ts')).tags,
  },
  {
    name: 'delete',
    summary: 'Delete tags or manifests from a registry',
    load: async () => (await import('../delete.ts')).remove,
  },
  {
    name: 'doctor',
    summary: 'Find out why a pull works or does not',
    load: async () => (await import('../doctor.ts')).doctor,
  },
  {
    name: 'serve',
    summary: 'Run a registry',
    load: async () => (await import('../serve.ts')).serve,
  },
  {
    name: 'storage',
    summary: "Look after a registry's store",
    load: async () => (await import('../storage.ts')).storage,
  },
  {
    name: 'config',
    summary: 'Show the settings, or the files they are read from',
    load: async () => (await import('../config.ts')).config,
  },
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    load: async () => (await import('../completion.ts')).completion,
  },
  {
    name: '__complete',
    summary: 'List names for a completion script',
    hidden: true,
    load: async () => (await import('../completion/complete.ts')).complete,
  },
  {
    name: 'version',
    summary: 'Show the version of ocictl and of what it runs on',
    load: async () => (await import('../version.ts')).version,
  },
];

/** Loads every command that is not hidden. */
export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(commandTable.filter(({ hidden }) => !hidden).map(({ load }) => load()));
}
