/**
 * Node's file calls as promises, without `fs/promises`, which is twice as slow for calls that fail; lookups often fail.
 * Those that are made for every small file run on the main thread while they are quick.
 */
import {
  fsync,
  fsyncSync,
  stat as look,
  lstat as lookAtLink,
  lstatSync,
  type MakeDirectoryOptions,
  mkdir as makeDirectory,
  mkdirSync,
  open,
  openSync,
  read,
  readSync,
  rename as renameFile,
  renameSync,
  type Stats,
  statSync,
  unlink as unlinkFile,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { quickCall } from './quick-calls.ts';

type Open = [file: string, flags: string | number, mode?: number];
type Read = [descriptor: number, into: Uint8Array, offset: number, length: number, position: number];
type Append = [descriptor: number, bytes: Uint8Array, offset: number, length: number];

const openLater = promisify(open) as (...args: Open) => Promise<number>;
const makeLater = promisify(makeDirectory) as (...args: Parameters<typeof makeNow>) => Promise<void>;

export const writeBytes = promisify(write);
export const unlink = promisify(unlinkFile);

export const openFile = quickCall<Open, number>(openSync, openLater);
export const lstat = quickCall<[file: string], Stats>(lstatSync, promisify(lookAtLink));
export const stat = quickCall<[file: string], Stats>(statSync, promisify(look));
export const rename = quickCall(renameSync, promisify(renameFile));
export const mkdir = quickCall(makeNow, makeLater);
export const syncFile = quickCall<[descriptor: number], void>(fsyncSync, promisify(fsync));

const readLater = promisify(read) as (...args: Read) => Promise<{ readonly bytesRead: number }>;
const readSmall = quickCall<Read, { readonly bytesRead: number }>(
  (...args) => ({ bytesRead: readSync(...args) }),
  readLater,
);
/** To copy more takes longer than a call through the thread pool. */
const smallBytes = 64 * 1024;

/** Reads into a buffer at an offset, from a position of the file. */
export function readBytes(...args: Read): Promise<{ readonly bytesRead: number }> {
  return args[3] > smallBytes ? readLater(...args) : readSmall(...args);
}

/** Writes some bytes of a buffer, often all of them, at the end of a small file. @returns How many were written. */
export const appendBytes = appending();
/** {@link appendBytes} for files of which each write is synced: how long that takes is another matter. */
export const appendSynced = appending();

function appending(): (...args: Append) => Promise<number> {
  return quickCall<Append, number>(writeSync, async (...args) => (await writeBytes(...args)).bytesWritten);
}

function makeNow(directory: string, options: MakeDirectoryOptions): void {
  mkdirSync(directory, options);
}
