/** The program of an xsnap meter as one script for XS; `entry` is the module that starts it, src/main.ts by default. */
export function buildMeterBundle(entry?: string): Promise<string>;

/** The explorer for browsers: contents by name, each beside itself compressed, with the ending of its compression. */
export function buildExplorer(): Promise<Map<string, Uint8Array>>;

/** Names of packages that bundles do not hold: they are loaded from where they are installed. */
export declare const installed: readonly string[];
