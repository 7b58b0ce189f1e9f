import { inBucket } from '../../storage/interleaving/in-bucket.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { firstPair } from '../bars.ts';
import { meetEveryPair } from './every-pair.ts';

/**
 * Every call is stopped at in memory and in a directory, where that takes milliseconds. Here each meeting is a copy of a store and
 * some sixty requests; what it adds are the calls of this driver, which all operations share. So about 12 stops each way, spread over
 * an operation, are enough, and all pairs are done in less than an hour on two cores.
 */
meetEveryPair(inBucket(s3Drivers()), { program: 'versitygw', first: firstPair, most: 12, atOnce: 3 });
