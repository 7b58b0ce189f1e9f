import { describeLinearTime } from '../hostile-input/linear-time.ts';

describeLinearTime({ kibibytes: 64, harmlessMs: 150, whole: true });
