import { drivers } from './every-driver.ts';
import { objectContract } from './object-contract.ts';

for (const [name, open] of drivers) objectContract({ name, open, hides: name === 'filesystem' });
