import { after, it } from 'node:test';
import { registryContract } from '../contract/registry.ts';
import { type DockerRegistry, findProgram, needs, startDockerRegistry } from '../support/programs.ts';
import { openRemote } from '../support/remotes.ts';
import type { Scope } from '../support/sandbox.ts';

// One docker-registry for all tests of this file.
const ends: Parameters<Scope['after']>[0][] = [];
const file: Scope = { after: (end) => void ends.push(end) };
after(async () => {
  for (const end of ends.reverse()) await (end as () => unknown)();
});
let shared: Promise<DockerRegistry> | undefined;

if (findProgram('docker-registry') === undefined) {
  it('remote → docker-registry keeps the contract of Registry', (t) => void needs(t, 'docker-registry'));
} else {
  registryContract(
    'remote → docker-registry 2.8',
    async (t) => {
      shared ??= startDockerRegistry(file);
      return { registry: openRemote(t, (await shared).url) };
    },
    {
      'sparse-indexes': 'only a local store takes them',
      'blake3-blobs': 'it knows sha256, sha384 and sha512 alone',
      'sha512-manifests': 'it keeps manifests under sha256 alone',
      'artifact-manifests': 'it knows the types of images and indexes alone',
      'other-manifests': 'it knows the types of images and indexes alone',
      'untagged-repositories': 'it says NAME_UNKNOWN where no tag was ever set',
      'delete-tag': 'it deletes manifests by digest alone',
    },
  );
}
