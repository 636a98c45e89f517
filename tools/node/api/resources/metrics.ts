// GET /metrics, for Prometheus.

import { metrics } from "../../../routes/metrics.js";
import type { ApiPorts } from "../ports.js";
import { type Route, route } from "../route.js";

export function metricsRoute({ health, metrics: { registry } }: Pick<ApiPorts, "health" | "metrics">): Route {
  return route(metrics, async () => {
    health(); // which its metrics tell too
    const bytes = Buffer.from(await registry.metrics());
    return { type: "sent", bytes, headers: { "content-type": registry.contentType } };
  });
}
