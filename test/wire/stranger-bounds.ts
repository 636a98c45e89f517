// The bounds of numbers, counts and sizes as section 17 of PROTOCOL.md has them. It imports neither src nor tools.

export const bounds = {
  service: 65_535,
  seq: 4_294_967_294,
  height: 1_099_511_627_774,
  temporaryBlock: 281_474_976_710_655,
  order: 4_294_967_295,
  round: 4_294_967_295,
  word: 4_294_967_295,
  operationType: 65_535,
  message: 281_474_976_710_655,
  hops: 16,
  counter: 281_474_976_710_655,
  time_s: 4_398_046_511_103,
  time_ms: 4_294_967_295_999,
  plain: 9_007_199_254_740_991,
  leaves: 8_097,
  nodes: 128,
  chains: 64,
  orderKeys: 16,
} as const;

export const counts = {
  temporaryBlocks: 16,
  recordsInOne: 1_000,
  records: 4_000,
  notices: 16,
  messages: 16,
  messagesOfOne: 4,
  due: 16,
  contracts: 32,
  operations: 32,
  runs: 81,
  effects: 4_096,
} as const;

/** Bytes. */
export const sizes = {
  genesis: 65_536,
  credential: 1_024,
  warrant: 256,
  reading: 16_384,
  operation: 65_536,
  order: 32_768,
  source: 65_536,
  evidence: 1_024,
  session: 512,
  disproof: 67_584,
  receipt: 16_384,
  carried: 33_824,
  messageBody: 16_384,
  dueKey: 128,
  stateProof: 65_536,
  value: 16_384,
  handover: 32_768,
  block: 16_777_216,
} as const;
