// Quantiles of measured latencies.

export interface LatencySummary {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
}

/** By the nearest rank; zeros where nothing was measured. Leaves the input as it is. */
export function summarise(latencies_ms: Float64Array): LatencySummary {
  const sorted = Float64Array.from(latencies_ms).sort();
  const rank = (quantile: number) => sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
  return { p50_ms: rank(0.5), p99_ms: rank(0.99), max_ms: rank(1) };
}
