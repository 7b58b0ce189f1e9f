import { describeUnreliable } from './unreliable.ts';

// The soak tier has more of them.
describeUnreliable(['1']);
