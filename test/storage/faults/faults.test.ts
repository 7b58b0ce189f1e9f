import { drivers } from '../drivers/every-driver.ts';
import { describeFaults } from './faults.ts';

// The soak tier breaks every call, also in directories, which takes long.
for (const [name, open] of drivers) {
  if (name === 'memory') describeFaults({ name, open, breaks: ['fails', 'fails after', 'stops'], every: 4 });
}
