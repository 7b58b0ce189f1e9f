import type { Registry } from '../../../src/registry/registry.ts';

type Methods = {
  [K in keyof Registry as Registry[K] extends (...args: never[]) => unknown ? K : never]: Registry[K];
};
type Interceptors = {
  [K in keyof Methods]?: (next: Methods[K], ...args: Parameters<Methods[K]>) => ReturnType<Methods[K]>;
};

/** A registry with some methods observed or replaced on their way to the real one. */
export function intercept(registry: Registry, interceptors: Interceptors): Registry {
  return new Proxy(registry, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      const next = member.bind(target) as (...args: unknown[]) => unknown;
      const interceptor = (interceptors as Record<PropertyKey, ((...args: unknown[]) => unknown) | undefined>)[
        property
      ];
      return interceptor ? (...args: unknown[]) => interceptor(next, ...args) : next;
    },
  });
}
