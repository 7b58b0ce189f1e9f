import { inDirectory } from '../../storage/interleaving/places.ts';
import { meetEveryPair } from './every-pair.ts';

meetEveryPair(inDirectory);
