/** The name of our own credential helper, which is the keychain. */
export const ownHelper = 'ocictl';
