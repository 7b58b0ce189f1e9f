import { describeUnreliable } from '../transfer/unreliable.ts';

describeUnreliable(['1', '2', '3', '4', '5', '6']);
