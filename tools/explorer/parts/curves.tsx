// Demand and supply of a slot as steps; the table beside says the same.

import { text } from "../texts.js";
import type { Curves, Step } from "../views/curve.js";

const SIZE = { width: 720, height: 220 } as const;
const MARGIN = 8;

export function CurvesChart({ curves: { demand, supply } }: { readonly curves: Curves }) {
  const steps = [...demand, ...supply];
  if (steps.length === 0) return null;
  const most = Math.max(...steps.map(({ volume }) => volume), 1);
  const prices = steps.map(({ price }) => price);
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const x = (volume: number) => MARGIN + ((SIZE.width - 2 * MARGIN) * volume) / most;
  const y = (price: number) =>
    SIZE.height - MARGIN - ((SIZE.height - 2 * MARGIN) * (price - low)) / Math.max(1, high - low);
  const path = (of: readonly Step[]) => {
    let at = 0;
    return of
      .flatMap(({ price, volume }) => {
        const pair = [`${x(at)},${y(price)}`, `${x(volume)},${y(price)}`];
        at = volume;
        return pair;
      })
      .join(" ");
  };
  return (
    <figure>
      <svg
        class="chart curves"
        viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
        role="img"
        aria-label={text("view.curves")}
      >
        <polyline class="demand" points={path(demand)} />
        <polyline class="supply" points={path(supply)} />
      </svg>
      <figcaption class="quiet">{text("view.curves")}</figcaption>
    </figure>
  );
}
