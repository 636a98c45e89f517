// The meters of a chain, a row each, a column a day: what was sealed, came late, is missing, is doubtful; who needs looking at stands
// first. Only the rows in sight are drawn, so that thousands scroll as a few do.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { toHex } from "../../../src/wire/bytes.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { BoundedMap } from "../../bounded-map.js";
import { reasonOf } from "../../errors.js";
import { DAY_ROW_BYTES_MAX, DAY_S, day as dayShape, decodeDayRow } from "../../routes/days.js";
import { type Cell, type CellState, countsOf, type DayRows, type MeterDays, meterDays } from "../days/heat-map.js";
import type { Strip } from "../live/strips.js";
import { askBytes, itemsIn, pause, Refusal } from "../network/ask.js";
import type { Network } from "../network/network.js";
import { Mark } from "../parts/mark.js";
import { numberOf } from "../route.js";
import { languageNow, numberText, text } from "../texts.js";
import { browserVerify } from "../verification/signatures.js";
import type { PageProps } from "./page-props.js";

const DAYS = 14;
const ROW_PX = 28;
/** Rows that are drawn above and below what is in sight. */
const ROWS_AROUND = 10;
const LABELS_KEPT_MAX = 4_096;
const signs: Readonly<Record<CellState, string>> = {
  sealed: "✓",
  late: "◷",
  doubtful: "?",
  missing: "✗",
  silent: "–",
  none: "",
};

export function MetersPage({ network, place, live }: PageProps) {
  const { strips } = live;
  const chosen = numberOf(place.parts[0]) ?? strips[0]?.service;
  return (
    <article>
      <h1>{text("page.meters")}</h1>
      <nav class="steps" aria-label={text("page.chains")}>
        {strips.map(({ service, name }: Strip) => (
          <a key={service} href={`#/meters/${service}`} aria-current={service === chosen ? "page" : undefined}>
            {name}
          </a>
        ))}
      </nav>
      {chosen !== undefined && <Days key={chosen} network={network} service={chosen} />}
    </article>
  );
}

interface DaysProps {
  readonly network: Network;
  readonly service: number;
}

interface Asked {
  /** the newest last */
  readonly days: readonly number[];
  readonly rows: readonly DayRows[];
  readonly isOver: boolean;
  readonly reason: string | undefined;
}

function Days({ network, service }: DaysProps) {
  const asked = useDays(service);
  const meters = useMemo(() => meterDays(asked.rows), [asked.rows]);
  const counts = useMemo(() => countsOf(meters), [meters]);
  return (
    <section>
      <p>
        {text("meters.count", { count: meters.length })} <Mark state="told" />
        {!asked.isOver && ` · ${text("app.loading")}`}
        {asked.reason !== undefined && ` · ${asked.reason}`}
      </p>
      <ul class="legend-cells">
        {(["missing", "silent", "late", "doubtful", "sealed"] as const).map((state) => (
          <li key={state}>
            <span class={`cell ${state}`}>{signs[state]}</span> {text(`cell.${state}`)}: {numberText(counts[state])}
          </li>
        ))}
      </ul>
      {meters.length > 0 && <HeatMap meters={meters} days={asked.days} of={{ network, service }} />}
    </section>
  );
}

/** Day after day, the newest first: what is there is shown. */
function useDays(service: number): Asked {
  const [asked, setAsked] = useState<Asked>({ days: [], rows: [], isOver: false, reason: undefined });
  useEffect(() => {
    const stopping = new AbortController();
    const run = async () => {
      const today = Math.floor(Date.now() / 1_000 / DAY_S);
      let reason: string | undefined;
      let [days, rows]: [number[], DayRows[]] = [[], []];
      for (let back = 0; back < DAYS && !stopping.signal.aborted; back += 1) {
        const found = await askDay(service, today - back, stopping.signal).catch((error: unknown) => {
          reason = reasonOf(error);
          return undefined;
        });
        [days, rows] = [
          [today - back, ...days],
          [found, ...rows],
        ];
        if (!stopping.signal.aborted) setAsked({ days, rows, isOver: back === DAYS - 1, reason });
      }
    };
    void run();
    return () => stopping.abort();
  }, [service]);
  return asked;
}

async function askDay(service: number, day: number, signal: AbortSignal): Promise<DayRows> {
  try {
    const bytes = await askBytes(dayShape, { parameters: { service, day }, signal });
    const rows = itemsIn(bytes, { size: DAY_ROW_BYTES_MAX, items: 8 }).map(decodeDayRow);
    return new Map(rows.map((row) => [toHex(row.kid), row]));
  } catch (error) {
    if (error instanceof Refusal && error.code === "pruned") return undefined;
    throw error;
  }
}

interface HeatMapProps {
  readonly meters: readonly MeterDays[];
  readonly days: readonly number[];
  readonly of: DaysProps;
}

function HeatMap({ meters, days, of }: HeatMapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / ROW_PX) - ROWS_AROUND);
  const inSight = Math.ceil((frame.current?.clientHeight ?? 600) / ROW_PX) + 2 * ROWS_AROUND;
  const shown = meters.slice(first, first + inSight);
  const names = useNames(
    of,
    shown.map(({ kid }) => kid),
  );
  const dayTexts = useMemo(() => days.map(dayText), [days, languageNow()]);
  const onScroll = () => setTop(Math.floor((frame.current?.scrollTop ?? 0) / ROW_PX) * ROW_PX);
  return (
    <section class="map" ref={frame} onScroll={onScroll} aria-label={text("meters.map")}>
      <table aria-rowcount={meters.length + 1} aria-label={text("meters.map")}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">{text("meters.meter")}</th>
            {days.map((day, index) => (
              <th key={day} scope="col">
                {dayTexts[index]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr class="space" ref={(row) => void setHeight(row, first * ROW_PX)} />
          {shown.map((meter, index) => (
            <MeterRow
              key={meter.kid}
              meter={meter}
              days={dayTexts}
              service={of.service}
              at={first + index + 2}
              name={names.get(meter.kid)}
            />
          ))}
          <tr class="space" ref={(row) => void setHeight(row, (meters.length - first - shown.length) * ROW_PX)} />
        </tbody>
      </table>
    </section>
  );
}

/** The page's policy takes no style in markup. */
function setHeight(row: HTMLTableRowElement | null, height_px: number): void {
  if (row !== null) row.style.height = `${height_px}px`;
}

interface MeterRowProps {
  readonly meter: MeterDays;
  /** as they are written */
  readonly days: readonly string[];
  readonly service: number;
  readonly at: number;
  readonly name: string | undefined;
}

/** Drawn again where something of it has changed alone: scrolling draws what comes into sight. */
function MeterRow(props: MeterRowProps) {
  const { meter, days, service, at, name } = props;
  return useMemo(() => drawnRow(props), [meter, days, service, at, name]);
}

function drawnRow({ meter: { kid, cells }, days, service, at, name }: MeterRowProps) {
  return (
    <tr aria-rowindex={at} data-meter={kid}>
      <th scope="row">
        <a href={`#/search/${kid}`} title={kid}>
          {name ?? kid}
        </a>
      </th>
      {cells.map((cell, index) => {
        const { state, first } = cell;
        const label = labelOf(cell, days[index]!);
        return (
          <td key={days[index]} class={`cell ${state}`} title={label}>
            {first === undefined ? (
              <span>
                {signs[state]}
                <span class="spoken">{label}</span>
              </span>
            ) : (
              <a href={`#/records/${service}/${kid}/${first}`} aria-label={label}>
                {signs[state]}
              </a>
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** Most cells of a day say the same: writing it out takes longer than drawing it. */
const labels = new BoundedMap<string, string>(LABELS_KEPT_MAX);

function labelOf({ state, records, missing, late, doubtful }: Cell, day: string): string {
  if (state === "none") return text("cell.none");
  const name = [languageNow(), day, state, records, missing, late, doubtful].join();
  const said = () => text("meters.cell", { day, records, missing, late, doubtful });
  const label = labels.get(name) ?? `${text(`cell.${state}`)}: ${said()}`;
  labels.set(name, label);
  return label;
}

function dayText(day: number): string {
  const at = new Date(day * DAY_S * 1_000);
  return at.toLocaleDateString(languageNow(), { day: "2-digit", month: "2-digit", timeZone: "UTC" });
}

/** Names that credentials give to those in sight, as they are verified, when nothing else is to be done. */
function useNames({ network, service }: DaysProps, kids: readonly string[]): ReadonlyMap<string, string> {
  const known = useRef(new Map<string, string>());
  const [, setCount] = useState(0);
  useEffect(() => {
    let isWanted = true;
    const run = async () => {
      await pause(200); // while somebody scrolls, nobody reads
      for (const kid of kids) {
        if (!isWanted) return;
        if (known.current.has(kid)) continue;
        const bytes = await network.credential(service, kid).catch(() => undefined);
        if (bytes === undefined || !isWanted) continue;
        known.current.set(kid, subjectOf(bytes, network) ?? kid);
        setCount(known.current.size);
      }
    };
    void run();
    return () => {
      isWanted = false;
    };
  }, [service, kids.join()]);
  return known.current;
}

function subjectOf(bytes: Uint8Array, { genesis }: Network): string | undefined {
  try {
    return verifyCredential(bytes, genesis, browserVerify).subject;
  } catch {
    return undefined;
  }
}
