/** The registry's own version, as clients show it in `remote status`. Kept equal to package.json by a test. */
export const version = "0.1.0";
