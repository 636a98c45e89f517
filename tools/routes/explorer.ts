// The explorer: the page that a node serves to browsers, and the files that the page names. They say nothing of any chain.

import { Type } from "@sinclair/typebox";
import { nothing } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** Where the page finds its files. */
export const EXPLORER_FOLDER = "explorer";

export const explorerPage = {
  method: "GET",
  path: "/",
  parameters: nothing,
  query: nothing,
  answer: { type: "text/html" },
  statuses: [200],
  refusals: ["not-built"],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

/** Scripts, the style sheet and the engine of contracts, by names that have a hash of what they hold. */
export const explorerFile = {
  method: "GET",
  path: `/${EXPLORER_FOLDER}/:file`,
  parameters: Type.Object({
    file: Type.String({
      pattern: "^[a-z-]{1,32}-[A-Z0-9]{8}\\.(js|css|wasm)$",
      description: "a file that the page at / names",
    }),
  }),
  query: nothing,
  answer: { type: "text/javascript" },
  statuses: [200],
  refusals: ["unknown-path"],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;
