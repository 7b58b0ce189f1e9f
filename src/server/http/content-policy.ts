/**
 * The `Content-Security-Policy` of responses. A pushed manifest may claim to be HTML, and a browser that opens it must
 * not run it on the registry's origin.
 */
export const inert = "default-src 'none'; sandbox";
