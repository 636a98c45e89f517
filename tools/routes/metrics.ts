// What Prometheus asks for; docs/metrics.md lists it.

import { nothing } from "./fields.js";
import type { RouteShape } from "./shape.js";

export const metrics = {
  method: "GET",
  path: "/metrics",
  parameters: nothing,
  query: nothing,
  answer: { type: "text/plain" },
  statuses: [200],
  refusals: [],
  limits: "costly",
  access: "public",
} as const satisfies RouteShape;
