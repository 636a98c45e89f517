// Why the core makes nothing of a peer's message: a reason each, which the node counts. Most are a correct network's usual noise.

/** docs/metrics.md says what each means. */
export const messageDrops = [
  "consensus-stranger",
  "consensus-unproven",
  "consensus-repeated",
  "consensus-round-ahead",
  "consensus-round-past",
  "consensus-height-ahead",
  "consensus-height-sealed",
  "consensus-decided",
  "consensus-not-proposer",
  "consensus-no-room",
  "consensus-answered",
  "consensus-unasked",
  "consensus-no-equivocation",
] as const;
export type MessageDrop = (typeof messageDrops)[number];

/** What became of a message. */
export type Outcome = "taken" | MessageDrop;
