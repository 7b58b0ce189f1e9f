/** Words that several commands begin with, which are about the same thing. */
export const familyTable: readonly { readonly name: string; readonly summary: string }[] = [
  { name: 'manifest', summary: 'Read, write and delete manifests as they are' },
  { name: 'blob', summary: 'Read, write and delete blobs' },
  { name: 'index', summary: 'Make, change and read indexes, which name images for several platforms' },
  { name: 'artifact', summary: 'Push and pull artifacts: files of any kind' },
  { name: 'key', summary: 'Keys to sign and verify images' },
  { name: 'storage', summary: "Look after a registry's store" },
];

/** A command, or the second word of one of a family. */
export function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(' ') + 1);
}
