/**
 * Archives, directories and daemons that are written as a whole: what the contract prepares goes there by a transfer, and is read
 * there. What they lack is lost on the way, or refused.
 */
import { archivedRegistry, type Pack } from '../support/archives/archived-registry.ts';
import { writeDaemon, writeDir, writeDockerArchive, writeOciArchive } from '../support/archives/written-registry.ts';
import type { Open } from './contract.ts';
import { registryContract } from './registry.ts';

const through =
  (pack: Pack): Open =>
  async (t) => ({ registry: await archivedRegistry(t, pack) });

const oneRepository = 'it has one repository without a name: every name means it';
const one = {
  'several-repositories': oneRepository,
  'blobs-per-repository': oneRepository,
  'cross-repository-sessions': oneRepository,
  'list-paging': 'it has no catalog',
  'sparse-indexes': 'it is written whole: a transfer refuses an index of which the source lacks images',
};

registryContract('an OCI archive that is written', through(writeOciArchive), one);

const noTags = 'it has one image, and no tag';
registryContract('a directory of skopeo that is written', through(writeDir), one, {
  manifests: noTags,
  deletes: noTags,
  lists: noTags,
  signals: noTags,
});

const noManifests = 'it keeps images by their config: their manifests are made again';
const blobsOnly = {
  'pushing blobs': 'the layout that the test prepares takes them',
  'upload sessions': 'the layout that the test prepares has them',
  manifests: noManifests,
  'refusals of manifests': noManifests,
  deletes: noManifests,
  lists: noManifests,
  referrers: noManifests,
  signals: noManifests,
  'extensions and ping': noManifests,
};
const otherAlgorithm = "Docker's layers are known by sha256";
registryContract(
  'an archive of Docker that is written',
  through(writeDockerArchive),
  { 'sha384-blobs': otherAlgorithm, 'sha512-blobs': otherAlgorithm, 'blake3-blobs': otherAlgorithm },
  blobsOnly,
);
registryContract('a daemon that is written to', through(writeDaemon), {}, blobsOnly);
