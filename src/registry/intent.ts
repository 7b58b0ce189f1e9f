/**
 * What a registry is opened for. `push`: the registry itself is asked, without mirrors, and reads share the connections of the
 * writes that follow. `look`: likewise without mirrors, but probably nothing is written.
 */
export type Intent = 'pull' | 'push' | 'look';
