/** What archives, directories and daemons lack that are written as a whole. */
import { archivedRegistry, type Pack } from '../support/archives/archived-registry.ts';
import type { Open } from './contract.ts';

export const through =
  (pack: Pack): Open =>
  async (t) => ({ registry: await archivedRegistry(t, pack) });

export const oneRepository = 'it has one repository without a name: every name means it';
export const one = {
  'several-repositories': oneRepository,
  'blobs-per-repository': oneRepository,
  'cross-repository-sessions': oneRepository,
  'list-paging': 'it has no catalog',
  'sparse-indexes': 'it is written whole: a transfer refuses an index of which the source lacks images',
};

const noManifests = 'it keeps images by their config: their manifests are made again';
export const blobsOnly = {
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
