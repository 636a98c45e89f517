// The bound of every number on the wire (PROTOCOL.md, section 17). Each leaves room for what is done with the number later: a key of
// a node's store, a field of a meter's flash, the next number, a sum, a date. Decoders, rules, audit and API take no other.

/** The service of a chain and of a record: two bytes in keys and frames. */
export const SERVICE_MAX = 65_535;
/** A record's number of its meter and service. The next one fits the four bytes that a meter's flash has for it. */
export const SEQ_MAX = 2 ** 32 - 2;
/** A block's height, from 1, also as the height of an anchor, an order or a vote. The next one fits the five bytes of a store's keys. */
export const HEIGHT_MAX = 2 ** 40 - 2;
/** A temporary block's number of its origin and chain: the numbers that follow it, and the window of them, are exact far beyond. */
export const BATCH_NUMBER_MAX = 2 ** 48 - 1;
/** An order's number, from 1. */
export const ORDER_NUMBER_MAX = 2 ** 32 - 1;
export const ROUND_MAX = 2 ** 32 - 1;
/** Violations of a chain. */
export const COUNTER_MAX = 2 ** 48 - 1;
/** Any time in seconds: what a meter's clock can show (DLMS has years to 65,535), and what every library of dates can write. */
export const TIME_S_MAX = 2 ** 42 - 1;
/** A block's time and lock time in milliseconds: the header has four bytes for its seconds. */
export const TIME_MS_MAX = 2 ** 32 * 1_000 - 1;
/** A target, a credential's status index. */
export const WORD_MAX = 2 ** 32 - 1;
/** Versions of formats, types, kinds, reasons: codes of which a reader knows a few. */
export const CODE_MAX = 255;
/** A message's number from its chain to another, from 0. */
export const MESSAGE_NUMBER_MAX = 2 ** 48 - 1;
/** Parts in which a contract is told of a slot's points, from 0. */
export const SLOT_PARTS_MAX = 65_535;
/** What an operation asks, from 1: ranges of it belong to services. */
export const OPERATION_TYPE_MAX = 65_535;
/** What nobody computes with: service id, status, source, reason, event and error bits, ages. */
export const PLAIN_MAX = Number.MAX_SAFE_INTEGER;

/** Nodes of a network, members of a chain. */
export const NODES_MAX = 128;
export const CHAINS_MAX = 64;
/** Keys of an authority that orders need several signatures of. */
export const ORDER_KEYS_MAX = 16;
/** Records in one temporary block. */
export const BATCH_RECORDS_MAX = 1_000;
/** Notices in one temporary block beside credentials: orders, evidence, messages, that something is due. */
export const BATCH_RULINGS_MAX = 16;
/** Temporary blocks in one block. */
export const BLOCK_BATCHES_MAX = 16;
/** Records in one block, and of its temporary blocks before duplicates fall out. */
export const BLOCK_RECORDS_MAX = 4_000;
/** Bytes of the temporary blocks of one block, so that what comes of them is no larger than a block may be. */
export const BLOCK_BATCH_BYTES_MAX = 8_388_608;
/** How many messages may answer each other before a run that would say one more fails: contracts do not keep chains at work without end. */
export const MESSAGE_HOPS_MAX = 16;
/** Leaves of a block's tree: the metadata, 4,000 records, and 4,096 of outcomes and effects behind them. */
export const LEAVES_MAX = 8_097;
