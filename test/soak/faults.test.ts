import { drivers } from '../storage/drivers/every-driver.ts';
import { describeFaults } from '../storage/faults/faults.ts';

for (const [name, open] of drivers) {
  describeFaults({ name, open, breaks: ['fails', 'fails after', 'stops'], every: 1 });
}
