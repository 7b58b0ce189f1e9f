/**
 * Archives that are written as a whole: what the contract prepares goes there by a transfer, and is read there. What they lack is
 * lost on the way, or refused. The interop tier has more of the kind.
 */
import { writeDockerArchive, writeOciArchive } from '../support/archives/written-registry.ts';
import { registryContract } from './registry.ts';
import { blobsOnly, one, through } from './written.ts';

registryContract('an OCI archive that is written', through(writeOciArchive), one);

const otherAlgorithm = "Docker's layers are known by sha256";
registryContract(
  'an archive of Docker that is written',
  through(writeDockerArchive),
  { 'sha384-blobs': otherAlgorithm, 'sha512-blobs': otherAlgorithm, 'blake3-blobs': otherAlgorithm },
  blobsOnly,
);
