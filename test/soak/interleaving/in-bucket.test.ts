import { inBucket } from '../../storage/interleaving/in-bucket.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { meetEveryPair } from './every-pair.ts';

meetEveryPair(inBucket(s3Drivers()), 'versitygw');
