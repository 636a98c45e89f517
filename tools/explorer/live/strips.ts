// The newest blocks of each chain: what events tell of them, and what this browser has proved of them. Pure.

import type { ChainState } from "../../routes/chains.js";
import type { BlockEvent } from "../../routes/events.js";
import type { ViolationItem } from "../../routes/violations.js";
import type { FindingState } from "../verification/finding.js";

/** Blocks of a chain that are kept, the newest first. */
export const STRIP_BLOCKS_MAX = 16;
/** Violations that are kept, the newest first. */
export const VIOLATIONS_KEPT_MAX = 50;

export interface LiveBlock {
  readonly height: number;
  /** as the event told it */
  readonly header: string;
  readonly records: number;
  readonly found: number;
  readonly time_ms: number;
  readonly state: FindingState;
  /** what is wrong */
  readonly reason?: string;
}

export interface Strip {
  readonly service: number;
  readonly name: string;
  readonly height: number;
  readonly records: number;
  readonly violations: number;
  /** records that wait at this node */
  readonly pending: number;
  readonly blocks: readonly LiveBlock[];
}

export interface LiveState {
  readonly strips: readonly Strip[];
  readonly violations: readonly ViolationItem[];
  /** blocks that this browser has verified, and that it has found wrong */
  readonly verified: number;
  readonly wrong: number;
}

export const nothingYet: LiveState = { strips: [], violations: [], verified: 0, wrong: 0 };

/** The chains as the node tells them now. */
export function noteChains(state: LiveState, chains: readonly ChainState[]): LiveState {
  const strips = chains.map(({ service, name, height, records, violations, pending }) => {
    const known = state.strips.find((strip) => strip.service === service);
    return { service, name, height, records, violations, pending, blocks: known?.blocks ?? [] };
  });
  return { ...state, strips };
}

/** A sealed block, as the node tells it. */
export function noteBlock(state: LiveState, event: BlockEvent): LiveState {
  const { service, height, header, records, found, time_ms } = event;
  return changed(state, service, (strip) => {
    const others = strip.blocks.filter((block) => block.height !== height);
    const told: LiveBlock = { height, header, records, found: found.length, time_ms, state: "open" };
    const blocks = [told, ...others].sort((one, other) => other.height - one.height).slice(0, STRIP_BLOCKS_MAX);
    const newest = Math.max(strip.height, height);
    return { ...strip, height: newest, violations: Math.max(strip.violations, event.violations), blocks };
  });
}

export function noteViolation(state: LiveState, violation: ViolationItem): LiveState {
  if (state.violations.some(({ id }) => id === violation.id)) return state;
  return { ...state, violations: [violation, ...state.violations].slice(0, VIOLATIONS_KEPT_MAX) };
}

/** What the checks of a block came to. */
export function noteChecked(
  state: LiveState,
  service: number,
  height: number,
  { state: found, reason }: { readonly state: FindingState; readonly reason?: string | undefined },
): LiveState {
  const counted = {
    ...state,
    verified: state.verified + (found === "verified" ? 1 : 0),
    wrong: state.wrong + (found === "wrong" ? 1 : 0),
  };
  return changed(counted, service, (strip) => ({
    ...strip,
    blocks: strip.blocks.map((block) =>
      block.height === height ? { ...block, state: found, ...(reason !== undefined && { reason }) } : block,
    ),
  }));
}

/** The position from which events tell the newest blocks of every chain (tools/routes/events.ts). */
export function positionBefore(chains: readonly ChainState[]): string {
  return chains.map(({ service, height }) => `${service}:${Math.max(0, height - STRIP_BLOCKS_MAX)}`).join(",");
}

function changed(state: LiveState, service: number, change: (strip: Strip) => Strip): LiveState {
  return { ...state, strips: state.strips.map((strip) => (strip.service === service ? change(strip) : strip)) };
}
