/** Node's callback functions as promises. `fs/promises` is twice as slow for calls that fail, and lookups often fail. */
import {
  fsync,
  stat as look,
  lstat as lookAtLink,
  mkdir as makeDirectory,
  open,
  read,
  rename as renameFile,
  unlink as unlinkFile,
  write,
} from 'node:fs';
import { promisify } from 'node:util';

export const openFile = promisify(open);
export const readBytes = promisify(read);
export const writeBytes = promisify(write);
export const syncFile = promisify(fsync);
export const lstat = promisify(lookAtLink);
export const mkdir = promisify(makeDirectory);
export const rename = promisify(renameFile);
export const stat = promisify(look);
export const unlink = promisify(unlinkFile);
