import { describeLinearTime } from './linear-time.ts';

// The soak tier reads four times as much, which shows quadratic time that costs a sixteenth of this limit, and more texts.
describeLinearTime({ kibibytes: 16, harmlessMs: 40 });
