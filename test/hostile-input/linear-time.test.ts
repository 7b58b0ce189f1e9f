import { describeLinearTime } from './linear-time.ts';

// The soak tier reads four times as much, where a square shows that costs a sixteenth.
describeLinearTime({ kibibytes: 16, harmlessMs: 40 });
