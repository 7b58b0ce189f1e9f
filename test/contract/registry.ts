import { describe } from 'node:test';
import { blobContract } from './blobs.ts';
import type { Lacks, Open } from './contract.ts';
import { deleteContract } from './deletes.ts';
import { extensionContract } from './extensions.ts';
import { listContract } from './lists.ts';
import { manifestRefusalContract } from './manifest-refusals.ts';
import { manifestContract } from './manifests.ts';
import { pushContract } from './pushes.ts';
import { rangeContract } from './ranges.ts';
import { referrerContract } from './referrers.ts';
import { signalContract } from './signals.ts';
import { uploadContract } from './uploads.ts';

/** The behaviour of every `Registry`, however it is implemented. */
export function registryContract(name: string, open: Open, lacks: Lacks = {}): void {
  const suite = { open, lacks };
  describe(`${name} keeps the contract of Registry`, { concurrency: 2 }, () => {
    describe('blobs', () => blobContract(suite));
    describe('ranges of blobs', () => rangeContract(suite));
    describe('pushing blobs', () => pushContract(suite));
    describe('upload sessions', () => uploadContract(suite));
    describe('manifests', () => manifestContract(suite));
    describe('refusals of manifests', () => manifestRefusalContract(suite));
    describe('deletes', () => deleteContract(suite));
    describe('lists', () => listContract(suite));
    describe('referrers', () => referrerContract(suite));
    describe('signals', () => signalContract(suite));
    describe('extensions and ping', () => extensionContract(suite));
  });
}
