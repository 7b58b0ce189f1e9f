/** The route table: each route's methods, the access they need, and their handlers. A new route is a row here. */
import { catalog, identity, mountSource, pull, push, remove, search } from '../auth/access.ts';
import { inert } from '../http/content-policy.ts';
import { getBase, getRoot } from './base.ts';
import { deleteBlob, getBlob, headBlob } from './blobs.ts';
import { getCatalog } from './catalog.ts';
import { getLivez, getReadyz } from './health.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts';
import { getReferrers } from './referrers.ts';
import type { RouteTable } from './row.ts';
import { getV1Ping, getV1Search } from './search.ts';
import { getTags } from './tags.ts';
import { getToken, postToken } from './token.ts';
import { deleteUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.ts';

export const table: RouteTable = {
  root: {
    handler: 'root',
    policy: inert,
    methods: {
      GET: { answer: getRoot },
      HEAD: { answer: getRoot },
    },
  },
  livez: {
    handler: 'livez',
    policy: inert,
    methods: {
      GET: { answer: getLivez },
      HEAD: { answer: getLivez },
    },
  },
  readyz: {
    handler: 'readyz',
    policy: inert,
    methods: {
      GET: { answer: getReadyz },
      HEAD: { answer: getReadyz },
    },
  },
  base: {
    handler: 'base',
    policy: inert,
    methods: {
      GET: { needs: identity, answer: getBase },
      HEAD: { needs: identity, answer: getBase },
    },
  },
  catalog: {
    handler: 'catalog',
    policy: inert,
    methods: {
      GET: { needs: catalog, answer: getCatalog },
      HEAD: { needs: catalog, answer: getCatalog },
    },
  },
  tags: {
    handler: 'tags',
    policy: inert,
    methods: {
      GET: { needs: pull, answer: getTags },
      HEAD: { needs: pull, answer: getTags },
    },
  },
  manifest: {
    handler: 'manifest',
    policy: inert,
    methods: {
      GET: { needs: pull, answer: getManifest },
      HEAD: { needs: pull, answer: headManifest },
      PUT: { needs: push, answer: putManifest },
      DELETE: { needs: remove, answer: deleteManifest },
    },
  },
  blob: {
    handler: 'blob',
    policy: inert,
    methods: {
      GET: { needs: pull, answer: getBlob },
      HEAD: { needs: pull, answer: headBlob },
      DELETE: { needs: remove, answer: deleteBlob },
    },
  },
  uploads: {
    handler: 'blob_upload',
    policy: inert,
    methods: {
      POST: { needs: push, wishes: mountSource, answer: postUpload },
    },
  },
  // All requests of an upload need push access, including those that query or cancel it.
  upload: {
    handler: 'blob_upload_chunk',
    policy: inert,
    methods: {
      GET: { needs: push, answer: getUpload },
      HEAD: { needs: push, answer: getUpload },
      PATCH: { needs: push, answer: patchUpload },
      PUT: { needs: push, answer: putUpload },
      DELETE: { needs: push, answer: deleteUpload },
    },
  },
  referrers: {
    handler: 'referrers',
    policy: inert,
    methods: {
      GET: { needs: pull, answer: getReferrers },
      HEAD: { needs: pull, answer: getReferrers },
    },
  },
  v1Ping: {
    handler: 'v1_ping',
    policy: inert,
    methods: {
      GET: { answer: getV1Ping },
      HEAD: { answer: getV1Ping },
    },
  },
  // A search finds names of the catalog, so it needs the same access.
  v1Search: {
    handler: 'v1_search',
    policy: inert,
    methods: {
      GET: { needs: search, answer: getV1Search },
      HEAD: { needs: search, answer: getV1Search },
    },
  },
  token: {
    handler: 'token',
    policy: inert,
    methods: {
      GET: { answer: getToken },
      POST: { answer: postToken },
    },
  },
};
