import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { checkedService } from './checked-service.ts';
import type { RegistryService, RegistryServiceOptions } from './contract.ts';
import { createSharedService } from './service.ts';

const createRegistryServiceShape: Shape<RegistryServiceOptions> = {
  settings: 'object',
  credentials: 'object',
  warn: 'function',
  trace: 'function',
  traceHeaders: 'boolean',
  onFallback: 'function',
  onWait: 'function',
  userAgent: 'string',
  cacheDirectory: 'string',
  tokenDirectory: 'string',
  defaultRegistry: 'string',
  defaultSearchIndex: 'string',
  resolve: 'function',
  helperTimeoutMs: 'number',
  identity: ['object', 'string'],
  limits: 'object',
  retry: 'object',
};

/** Makes a registry service. Opens no connection and starts no helper before they are needed. @throws OciError USAGE */
export function createRegistryService(options: RegistryServiceOptions): RegistryService {
  checkOptions('createRegistryService', options, createRegistryServiceShape, ['settings']);
  return checkedService(createSharedService(options, undefined));
}
