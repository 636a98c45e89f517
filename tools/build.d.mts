/** The program of an xsnap meter as one script for XS; `entry` is the module that starts it, src/main.ts by default. */
export function buildMeterBundle(entry?: string): Promise<string>;
