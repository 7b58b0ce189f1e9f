import { drivers } from '../drivers/every-driver.ts';
import { describeFaults } from './faults.ts';

// The soak tier breaks them at every call.
for (const [name, open] of drivers) {
  if (name === 'memory') describeFaults({ name, open, breaks: ['fails', 'fails after', 'stops'], every: 2 });
  else describeFaults({ name, open, breaks: ['fails', 'stops'], every: 5 });
}
