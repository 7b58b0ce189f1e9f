import type { Deleter, Writer } from './registry.ts';

/** Every method that writes or deletes, where none of them works. @param refuse Throws the reason. */
export function refusedWrites(refuse: () => Promise<never>): Writer & Deleter {
  return {
    pushBlob: refuse,
    startUpload: refuse,
    resumeUpload: refuse,
    mountBlob: refuse,
    pushManifest: refuse,
    deleteBlob: refuse,
    deleteManifest: refuse,
    deleteTag: refuse,
  };
}
