/** Archives of which the default tier has others of the same kind: packed by tar, a directory of skopeo, and what a daemon has loaded. */
import { registryContract } from '../../contract/registry.ts';
import { blobsOnly, one, oneRepository, through } from '../../contract/written.ts';
import { tarDocker, tarOci } from '../../support/archives/archived-registry.ts';
import { writeDaemon, writeDir } from '../../support/archives/written-registry.ts';

const lacks = {
  'several-repositories': oneRepository,
  'blobs-per-repository': oneRepository,
  'cross-repository-sessions': oneRepository,
  'list-paging': 'an archive has no catalog',
};

registryContract('an OCI archive', through(tarOci), lacks);
registryContract('an archive of Docker', through(tarDocker), lacks);

const noTags = 'it has one image, and no tag';
registryContract('a directory of skopeo that is written', through(writeDir), one, {
  manifests: noTags,
  deletes: noTags,
  lists: noTags,
  signals: noTags,
});

registryContract('a daemon that is written to', through(writeDaemon), {}, blobsOnly);
