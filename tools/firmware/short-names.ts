// Shortens the names of what a module does not export. XS keeps each name of the image as a key, with a slot and its text in ROM, those of
// local variables too; the modules share the short ones.

import { transform } from "esbuild";
import type { Plugin } from "rollup";

/** Runs on what a module has become, where `isShortened` says so of the module's name. */
export function shortNames(isShortened: (name: string) => boolean): Plugin {
  return {
    name: "short-names",
    async renderChunk(code, { fileName }) {
      if (!isShortened(fileName.replace(/\.js$/, ""))) return null;
      const shortened = await transform(code, {
        loader: "js",
        target: "es2022",
        charset: "utf8",
        minifyIdentifiers: true,
      });
      return { code: shortened.code, map: null };
    },
  };
}
