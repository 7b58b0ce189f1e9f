/** The table of commands. It is long because it has an entry for each. */
import type { Command } from './command.ts';
import { familyTable } from './families.ts';

interface CommandEntry {
  /** Of a command of a family: both words, as `blob get`. */
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
    name: 'discover',
    summary: 'List what is attached to an image, such as signatures',
    load: async () => (await import('../discover.ts')).discover,
  },
  {
    name: 'files',
    summary: 'List the files in an image',
    load: async () => (await import('../files.ts')).files,
  },
  {
    name: 'cat',
    summary: 'Print a file in an image',
    load: async () => (await import('../cat.ts')).cat,
  },
  {
    name: 'export',
    summary: 'Write the file system of an image as a tar archive',
    load: async () => (await import('../export.ts')).exportFiles,
  },
  {
    name: 'extract',
    summary: 'Write files of an image to a directory',
    load: async () => (await import('../extract.ts')).extract,
  },
  {
    name: 'diff',
    summary: 'Compare two images',
    load: async () => (await import('../diff.ts')).diff,
  },
  {
    name: 'history',
    summary: 'Show what made each layer of an image, and its size',
    load: async () => (await import('../history.ts')).history,
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
    name: 'sbom',
    summary: "Print an image's list of parts (SBOM), wherever it is kept",
    load: async () => (await import('../sbom.ts')).sbom,
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
    name: 'manifest get',
    summary: 'Print a manifest, byte for byte',
    load: async () => (await import('../manifest/get.ts')).manifestGet,
  },
  {
    name: 'manifest head',
    summary: 'Show media type, digest and size of a manifest',
    load: async () => (await import('../manifest/head.ts')).manifestHead,
  },
  {
    name: 'manifest put',
    summary: 'Write a manifest, and a tag for it',
    load: async () => (await import('../manifest/put.ts')).manifestPut,
  },
  {
    name: 'manifest delete',
    summary: 'Delete a manifest with all its tags',
    load: async () => (await import('../manifest/delete.ts')).manifestDelete,
  },
  {
    name: 'index create',
    summary: 'Make an index of images',
    load: async () => (await import('../index/create.ts')).indexCreate,
  },
  {
    name: 'index add',
    summary: 'Add images to an index',
    load: async () => (await import('../index/add.ts')).indexAdd,
  },
  {
    name: 'index remove',
    summary: 'Remove images from an index',
    load: async () => (await import('../index/remove.ts')).indexRemove,
  },
  {
    name: 'index annotate',
    summary: 'Change annotations and platforms in an index',
    load: async () => (await import('../index/annotate.ts')).indexAnnotate,
  },
  {
    name: 'index list',
    summary: 'List what an index names',
    load: async () => (await import('../index/list.ts')).indexList,
  },
  {
    name: 'artifact pull',
    summary: 'Pull the files of an artifact',
    load: async () => (await import('../artifact/pull.ts')).artifactPull,
  },
  {
    name: 'blob get',
    summary: 'Print a blob, or a part of it',
    load: async () => (await import('../blob/get.ts')).blobGet,
  },
  {
    name: 'blob head',
    summary: 'Show whether a blob is there, and its size',
    load: async () => (await import('../blob/head.ts')).blobHead,
  },
  {
    name: 'blob put',
    summary: 'Upload a file as a blob, or mount one',
    load: async () => (await import('../blob/put.ts')).blobPut,
  },
  {
    name: 'blob delete',
    summary: 'Delete a blob from a repository',
    load: async () => (await import('../blob/delete.ts')).blobDelete,
  },
  {
    name: 'artifact push',
    summary: 'Push files as an artifact',
    load: async () => (await import('../artifact/push.ts')).artifactPush,
  },
  {
    name: 'append',
    summary: 'Add layers to an image, from archives or directories',
    load: async () => (await import('../append.ts')).append,
  },
  {
    name: 'flatten',
    summary: 'Make one layer of all layers of an image',
    load: async () => (await import('../flatten.ts')).flatten,
  },
  {
    name: 'squash',
    summary: 'Make one layer of the upper layers of an image',
    load: async () => (await import('../squash.ts')).squash,
  },
  {
    name: 'rebase',
    summary: 'Put an image on another base, without building it',
    load: async () => (await import('../rebase.ts')).rebase,
  },
  {
    name: 'check-base',
    summary: 'Tell whether the base of an image has changed',
    load: async () => (await import('../check-base.ts')).checkBase,
  },
  {
    name: 'validate',
    summary: 'Check every part of an image',
    load: async () => (await import('../validate.ts')).validate,
  },
  {
    name: 'mutate',
    summary: "Change an image's config and annotations",
    load: async () => (await import('../mutate.ts')).mutate,
  },
  {
    name: 'attach',
    summary: 'Attach files to an image or artifact',
    load: async () => (await import('../attach.ts')).attach,
  },
  {
    name: 'sign',
    summary: 'Sign images with a key',
    load: async () => (await import('../sign.ts')).sign,
  },
  {
    name: 'verify',
    summary: 'Verify the signatures of images',
    load: async () => (await import('../verify.ts')).verify,
  },
  {
    name: 'attest',
    summary: 'Attest how images were built, or what is in them',
    load: async () => (await import('../attest.ts')).attest,
  },
  {
    name: 'verify-attestation',
    summary: 'Verify what is attested of images, and print it',
    load: async () => (await import('../verify-attestation.ts')).verifyAttestation,
  },
  {
    name: 'key generate',
    summary: 'Make a pair of keys to sign and verify images',
    load: async () => (await import('../key/generate.ts')).keyGenerate,
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
    name: 'storage gc',
    summary: "Remove what nothing in a registry's store refers to",
    load: async () => (await import('../storage/gc.ts')).storageGc,
  },
  {
    name: 'storage fsck',
    summary: "Check a registry's store, and repair it",
    load: async () => (await import('../storage/fsck.ts')).storageFsck,
  },
  {
    name: 'storage stats',
    summary: "Show what takes space in a registry's store",
    load: async () => (await import('../storage/stats.ts')).storageStats,
  },
  {
    name: 'storage copy',
    summary: "Copy a registry's store to another place",
    load: async () => (await import('../storage/copy.ts')).storageCopy,
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

/** Commands and families in the order of help, a family where its first command is. */
export function firstWords(): readonly Pick<CommandEntry, 'name' | 'summary' | 'aliases' | 'hidden'>[] {
  const families = new Map(familyTable.map((family) => [family.name, family]));
  const listed = commandTable.map((entry) => families.get(entry.name.split(' ')[0] ?? '') ?? entry);
  return [...new Set(listed)];
}

/** The commands of a family. */
export function membersOf(family: string): readonly CommandEntry[] {
  return commandTable.filter(({ name }) => name.startsWith(`${family} `));
}

/** Loads every command that is not hidden. */
export async function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(commandTable.filter(({ hidden }) => !hidden).map(({ load }) => load()));
}
